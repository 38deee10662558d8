"""What a watch comes to: one check a feature, signal and side, each with a verdict and a sentence that explains it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from fsync.plan import Planned, View

#: freshness: how old; null_ratio: how much is missing; drift: whether values are others; availability: who gets them;
#: parity: whether what is served is what the table says
Signal = Literal["freshness", "null_ratio", "drift", "availability", "parity"]
#: of the tables that are built, or of what is served
Side = Literal["offline", "online"]
_SURE: Final = 1e-15


class Verdict(StrEnum):
    """What a check says."""

    OK = "ok"
    ALERT = "alert"
    #: there was nothing to look at, as the sentence says
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Check:
    """One signal of one feature on one side.

    `value` is held against `threshold`, shares from 0 to 1 but for the first:

        freshness      the lag and the SLA, in seconds (two minutes more are allowed)
        null_ratio     the share of NULLs, and the most there may be
        drift          the share of values that take part in the change, and the least that counts
        availability   the share of probes that got a value, and the SLA
        parity         the share of entities whose value online differs and nothing explains it, and 0

    `counted` is how many entities or probes it goes by; None where there are none to count.

    Of drift, `p` is the p-value of this check alone, and `q` that among all features that were compared with it
    (Benjamini and Hochberg): it alerts when q is below what the spec says of p, and the value at least the threshold.
    """

    feature: str
    view: str
    owner: str
    signal: Signal
    side: Side
    verdict: Verdict
    sentence: str
    value: float | None = None
    threshold: float | None = None
    counted: int | None = None
    p: float | None = None
    q: float | None = None
    baseline: str | None = None

    @classmethod
    def of(
        cls,
        view: View,
        planned: Planned,
        signal: Signal,
        side: Side,
        verdict: Verdict,
        sentence: str,
        *,
        value: float | None = None,
        threshold: float | None = None,
        counted: int | None = None,
        baseline: str | None = None,
    ) -> Check:
        """A check of a planned feature."""
        return cls(
            planned.name,
            view.name,
            planned.feature.owner,
            signal,
            side,
            verdict,
            sentence,
            value,
            threshold,
            counted,
            baseline=baseline,
        )

    @property
    def is_alert(self) -> bool:
        return self.verdict is Verdict.ALERT

    @property
    def told_p(self) -> str:
        """p for people; of what is smaller than 1e-15 no more can be said."""
        return "p < 1e-15" if self.p is None or self.p < _SURE else f"p = {self.p:.1g}"


#: a check among others: its feature, signal and side
Line = tuple[str, Signal, Side]
#: a verdict of each, but for those that are unknown
Verdicts = Mapping[Line, str]


def line_of(check: Check) -> Line:
    """What a check is of."""
    return check.feature, check.signal, check.side


def verdicts_of(checks: Iterable[Check]) -> Verdicts:
    """The verdicts of checks that are not unknown."""
    return {line_of(check): check.verdict for check in checks if check.verdict is not Verdict.UNKNOWN}


@dataclass(frozen=True)
class Round:
    """One look at all features. `at` is the instant looked at, `checked_at` the wall clock, in epoch milliseconds.

    `problems` say what could not be looked at. `store` is the online store that was watched, None for none.
    """

    at: int
    checked_at: int
    checks: tuple[Check, ...]
    problems: tuple[str, ...] = ()
    store: str | None = None

    @property
    def alerts(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if check.is_alert)
