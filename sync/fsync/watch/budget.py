"""Error budgets: how much of what a promise leaves room for has been used up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from fsync.plan import Plan
from fsync.spec.monitors import read_share
from fsync.watch.check import Signal
from fsync.watch.past import Kept

#: the period of budgets, in days and in milliseconds
DAYS: Final = 30
PERIOD_MS: Final = DAYS * 86_400_000


@dataclass(frozen=True)
class Budget:
    """A promise of a feature over a period: the share that was kept, and that was promised, both from 0 to 1.

    `objective` is the availability of the SLA, for freshness too: how much of the time values are to be fresh. It is
    None where the SLA names none; then there is no budget. `left` is the share of the budget that is left: 1 where
    nothing was missed, 0 where all that the objective leaves room for was, less than 0 beyond.
    """

    feature: str
    view: str
    owner: str
    promise: Signal
    kept: float
    objective: float | None
    left: float | None
    checks: int

    @property
    def is_spent(self) -> bool:
        return self.left is not None and self.left < 0


def budgets(plan: Plan, kept: Iterable[Kept]) -> tuple[Budget, ...]:
    """The budgets of the features of a plan, of what history says was kept; others that it knows are left out."""
    objectives: Mapping[str, float | None] = {
        planned.name: None if planned.feature.availability is None else read_share(planned.feature.availability)
        for view in plan.views
        for planned in view.features
    }
    return tuple(
        Budget(
            feature=one.feature,
            view=one.view,
            owner=one.owner,
            promise=one.promise,
            kept=one.kept,
            objective=objectives[one.feature],
            left=_left(one.kept, objectives[one.feature]),
            checks=one.checks,
        )
        for one in kept
        if one.feature in objectives
    )


def _left(kept: float, objective: float | None) -> float | None:
    if objective is None:
        return None
    room = 1 - objective
    missed = 1 - kept
    if room <= 0:  # a promise of all leaves no room
        return 1.0 if missed <= 0 else -1.0
    # what was kept is a mean, and not exact to the last digit
    return round(1 - missed / room, 9)
