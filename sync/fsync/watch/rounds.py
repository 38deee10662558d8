"""One round of watching, from looking to keeping: what the command line tells, and others may use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fsync.errors import WarehouseOutOfReach
from fsync.instant import now
from fsync.plan import Plan, View
from fsync.read import Reader
from fsync.spec.project import Project
from fsync.store import Store
from fsync.warehouse.duckdb import Warehouse
from fsync.warehouse.profile import Profile
from fsync.watch import Progress, judge, look_at
from fsync.watch.budget import PERIOD_MS, Budget, budgets
from fsync.watch.check import Check, Round
from fsync.watch.distribution import Distribution, distributions
from fsync.watch.history import Point, alerting, kept, points, write
from fsync.watch.look import Look
from fsync.watch.offline import SAMPLE
from fsync.watch.parity import Difference, checks_of, compare_view


@dataclass(frozen=True)
class Served:
    """The online store that is watched, and what its keys start with."""

    store: Store
    prefix: str


@dataclass(frozen=True)
class Watched:
    """What a round came to.

    `begun` are the alerts that the round before did not have, `over` the checks that alerted in it and do no more.
    `points` and `distributions` are there for a page alone. `unkept` says why the history has not got the round.
    """

    round: Round
    begun: tuple[Check, ...]
    over: tuple[Check, ...]
    budgets: tuple[Budget, ...]
    differences: tuple[Difference, ...] = ()
    points: tuple[Point, ...] = ()
    distributions: Mapping[str, Distribution] | None = None
    unkept: str | None = None


def watch(
    views: Sequence[View],
    project: Project,
    plan: Plan,
    profile: Profile,
    served: Served | None,
    at: int | None,
    *,
    sample: int = SAMPLE,
    parity: bool = False,
    for_page: bool = False,
    keep: bool = True,
    progress: Progress | None = None,
) -> Watched:
    """Look at views, judge, and keep what came of it in the warehouse.

    Args:
        served: the online store; None for tables alone.
        at: the instant that is looked at, in epoch milliseconds; None for now.
        sample: how many entities of a view are compared, about.
        parity: whether to look entities up on both sides.
        for_page: whether to gather what a page shows beside.
        keep: whether to write what was seen into the history.
        progress: see `fsync.watch.look_at`.

    Raises:
        NotBuilt: when there is no warehouse.
        WarehouseOutOfReach: when it does not answer. When only writing to it fails, see `Watched.unkept`.
    """
    moment = now() if at is None else at
    shapes: dict[str, Distribution] = {}
    differences: list[Difference] = []
    compared: list[Check] = []

    def noted(look: Look) -> Look:
        if for_page:
            shapes.update(distributions(look))
        return look

    with Warehouse(profile) as warehouse:
        reader = None if served is None else Reader(served.store, prefix=served.prefix)
        looks = look_at(views, project, plan, warehouse, reader, moment, sample=sample, progress=progress)
        seen = judge((noted(look) for look in looks), moment)
        if parity and served is not None:
            for view in views:
                both = compare_view(view, warehouse, served.store, served.prefix, moment)
                differences += both.differences
                compared += checks_of(both)
        before = alerting(warehouse, moment)
    seen = replace(seen, checks=(*seen.checks, *compared))
    unkept = _kept(profile, seen) if keep else None
    with Warehouse(profile) as warehouse:
        promises = kept(warehouse, moment - PERIOD_MS, moment)
        past = points(warehouse, moment - PERIOD_MS, moment) if for_page else ()
    begun, over = changes(seen, before or frozenset())
    return Watched(
        round=seen,
        begun=begun,
        over=over,
        budgets=budgets(plan, promises),
        differences=tuple(differences),
        points=past,
        distributions=shapes if for_page else None,
        unkept=unkept,
    )


def changes(seen: Round, before: frozenset[tuple[str, str, str]]) -> tuple[tuple[Check, ...], tuple[Check, ...]]:
    """The alerts that are new since an earlier round, and the checks that alerted then and do no more."""
    begun = tuple(one for one in seen.alerts if (one.feature, one.signal, one.side) not in before)
    over = tuple(one for one in seen.checks if not one.is_alert and (one.feature, one.signal, one.side) in before)
    return begun, over


def _kept(profile: Profile, seen: Round) -> str | None:
    try:
        write(profile, seen)
    except WarehouseOutOfReach as error:
        return str(error)
    return None
