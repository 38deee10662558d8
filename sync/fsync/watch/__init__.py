"""Watching features: what is seen of each view, offline and online, against what specs and project say of it.

look   each view's table; then, with the warehouse closed, what is served of it (offline.py, online.py)
check  `SIGNALS`: pure functions from what was seen to checks with verdicts     (freshness.py … drift.py)
keep   the history of checks in the warehouse, and what follows: budgets        (history.py, past.py, budget.py)
tell   a page, Prometheus, a webhook, of what it does not know                  (pages/ … webhook.py, told.py)

`rounds.watch` is all but the last, once; `parity.py` what it does when it is asked to look entities up on both sides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from fsync.errors import StoreOutOfReach
from fsync.instant import now
from fsync.plan import Plan, View
from fsync.read import Reader
from fsync.spec.project import Project
from fsync.warehouse.duckdb import Warehouse
from fsync.watch.availability import availability
from fsync.watch.check import Check, Round, Side, Signal, Verdict
from fsync.watch.drift import controlled, drift
from fsync.watch.freshness import freshness
from fsync.watch.look import Look, Online
from fsync.watch.null_ratio import null_ratio
from fsync.watch.offline import SAMPLE, look_offline
from fsync.watch.online import look_online

__all__ = [
    "SAMPLE",
    "SIGNALS",
    "Check",
    "Look",
    "Round",
    "Side",
    "Signal",
    "Verdict",
    "judge",
    "look_at_store",
    "look_at_tables",
]

#: called with the views that are done, all there are, and the name of the next
Progress = Callable[[int, int, str], None]

#: what is watched: functions from what was seen of a view to checks of its features
SIGNALS: Final[tuple[Callable[[Look], Iterable[Check]], ...]] = (freshness, null_ratio, drift, availability)


def look_at_tables(
    views: Sequence[View],
    project: Project,
    plan: Plan,
    warehouse: Warehouse,
    at: int,
    *,
    sample: int = SAMPLE,
    progress: Progress | None = None,
) -> Iterator[Look]:
    """Look at the tables of views, one after another.

    Args:
        at: the instant that is looked at, in epoch milliseconds.
        sample: how many entities of a view are compared, about.
        progress: called with the views that are done, all there are, and the name of the next.

    Raises:
        WarehouseOutOfReach: when the warehouse does not answer.
    """
    for number, view in enumerate(views):
        if progress is not None:
            progress(number, len(views), view.name)
        yield Look(view, at, look_offline(view, project, plan, warehouse, at, sample))


def look_at_store(looks: Iterable[Look], reader: Reader) -> Iterator[Look]:
    """Look at what a store serves, beside what the tables have. One that does not answer is asked no more."""
    problem: str | None = None
    for look in looks:
        keys = look.offline.keys
        if problem is None:
            try:
                yield replace(look, online=look_online(look.view, reader, keys, look.at))
                continue
            except StoreOutOfReach as error:
                problem = f"the store does not answer: {error}"
        yield replace(look, online=Online(problem=problem, probes=len(keys)))


def judge(looks: Iterable[Look], at: int) -> Round:
    """What the signals say of what was seen; features in the order of views, each signal by signal."""
    checks: list[Check] = []
    allowed: dict[str, float] = {}
    problems: dict[str, None] = {}
    for look in looks:
        allowed |= {one.name: one.monitors.drift for one in look.view.features if one.monitors.drift is not None}
        checks += [check for signal in SIGNALS for check in signal(look)]
        if look.offline.problem is not None:
            problems[look.offline.problem] = None
    return Round(at, now(), controlled(checks, allowed), tuple(problems))
