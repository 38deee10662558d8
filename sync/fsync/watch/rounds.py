"""One round of watching, from looking to keeping: what the command line tells, and others may use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from fsync.deployed import store_name
from fsync.errors import WarehouseOutOfReach
from fsync.instant import now
from fsync.plan import Plan, View
from fsync.read import Reader
from fsync.spec.project import Project
from fsync.store import Store
from fsync.warehouse.duckdb import Warehouse
from fsync.warehouse.profile import Profile
from fsync.watch import Progress, judge, look_at_store, look_at_tables
from fsync.watch.budget import PERIOD_MS, Budget, budgets
from fsync.watch.check import Check, Round, Verdict, Verdicts, line_of
from fsync.watch.distribution import Distribution, distributions
from fsync.watch.history import Past, keep, last_verdicts, patiently
from fsync.watch.offline import SAMPLE
from fsync.watch.parity import Difference, Entity, Parity, checks_of, compare_view, entities_of, look_up
from fsync.watch.past import Point
from fsync.watch.told import Chat


@dataclass(frozen=True)
class WatchedStore:
    """The online store that is watched, and what its keys start with."""

    store: Store
    prefix: str

    @property
    def name(self) -> str:
        """What tells it from others in the history."""
        return store_name(self.store.name, self.prefix)


@dataclass(frozen=True)
class Watched:
    """What a round came to.

    `begun` are the alerts that are new, `over` the checks that alerted the last time and are ok now. `points` and
    `distributions` are there for a page alone. `unkept` says why the history has not got the round.
    """

    round: Round
    begun: tuple[Check, ...]
    over: tuple[Check, ...]
    budgets: tuple[Budget, ...]
    differences: tuple[Difference, ...] = ()
    points: tuple[Point, ...] = ()
    distributions: Mapping[str, Distribution] = field(default_factory=dict)
    unkept: str | None = None


def watch(
    views: Sequence[View],
    project: Project,
    plan: Plan,
    profile: Profile,
    served: WatchedStore | None,
    at: int | None,
    *,
    sample: int = SAMPLE,
    parity: bool = False,
    for_page: bool = False,
    is_kept: bool = True,
    chat: Chat | None = None,
    progress: Progress | None = None,
) -> Watched:
    """Look at views, judge, and keep what came of it in the warehouse.

    Args:
        served: the online store; None for tables alone.
        at: the instant that is looked at, in epoch milliseconds; None for now.
        sample: how many entities of a view are compared, about.
        parity: whether to look entities up on both sides.
        for_page: whether to gather what a page shows beside.
        is_kept: whether to write what was seen into the history.
        chat: who is told what began and what is over, and so is not told again; None for whoever reads the report.
        progress: see `fsync.watch.look_at_tables`.

    Raises:
        NotBuilt: when there is no warehouse.
        WarehouseOutOfReach: when it does not answer. When only writing to it fails, see `Watched.unkept`.
    """
    moment = now() if at is None else at
    # the warehouse is let go of before a store is waited for: builds want it
    with _opened(profile) as warehouse:
        looks = list(look_at_tables(views, project, plan, warehouse, moment, sample=sample, progress=progress))
        verdicts = last_verdicts(warehouse, moment, chat, None if served is None else served.name)
        entities = entities_of(views, warehouse) if parity else {}
    parities: list[Parity] = []
    if served is not None:
        looks = list(look_at_store(looks, Reader(served.store, prefix=served.prefix)))
        if parity:
            parities = _compared(views, entities, profile, served, moment)
    seen = judge(looks, moment)
    of_parity = (check for one in parities for check in checks_of(one))
    seen = replace(seen, checks=(*seen.checks, *of_parity), store=None if served is None else served.name)
    shown = {name: one for look in looks for name, one in distributions(look).items()} if for_page else {}
    past, unkept = Past(verdicts=verdicts), None
    if is_kept:
        try:
            past = keep(profile, seen, seen.at - PERIOD_MS, with_points=for_page, chat=chat)
        except WarehouseOutOfReach as error:
            unkept = str(error)
    begun, over = changes(seen, past.verdicts)
    return Watched(
        round=seen,
        begun=begun,
        over=over,
        budgets=budgets(plan, past.kept),
        differences=tuple(difference for one in parities for difference in one.differences),
        points=past.points,
        distributions=shown,
        unkept=unkept,
    )


def changes(seen: Round, before: Verdicts) -> tuple[tuple[Check, ...], tuple[Check, ...]]:
    """The alerts that are new, and the checks that are ok again, going by the last verdicts before."""
    alerted = {line for line, verdict in before.items() if verdict == Verdict.ALERT}
    begun = tuple(one for one in seen.alerts if line_of(one) not in alerted)
    over = tuple(one for one in seen.checks if one.verdict is Verdict.OK and line_of(one) in alerted)
    return begun, over


def _compared(
    views: Sequence[View], entities: Mapping[str, list[Entity]], profile: Profile, served: WatchedStore, at: int
) -> list[Parity]:
    looked_up = [look_up(view, entities.get(view.name, []), served.store, served.prefix, at) for view in views]
    with _opened(profile) as warehouse:
        return [compare_view(one, warehouse, at) for one in looked_up]


def _opened(profile: Profile) -> Warehouse:
    """The warehouse, when whoever builds in it lets go."""
    return patiently(lambda: Warehouse(profile), WarehouseOutOfReach)
