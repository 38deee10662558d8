"""Drift: whether values are distributed as those of a baseline are.

Numbers and ages by the test of Kolmogorov and Smirnov, others by chi-squared. Many entities make any change certain:
what counts beside that is how many of the values take part in it, which is the distance between the two distributions
(of numbers the largest one between their distribution functions; of categories, half the sum of the distances between
their shares). And many features make some p-value small: the false discoveries among all alerts are kept below the
p-value that is asked for (Benjamini and Hochberg, J. R. Statist. Soc. B 57, 1995).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy import special, stats

from fsync.language.duration import in_words
from fsync.plan import Planned
from fsync.sql.watched import Kind, is_comparable, kind_of
from fsync.watch.check import Check, Side, Verdict
from fsync.watch.look import Categories, Look, Numbers, Values, how_many

#: up to so many values on one side p-values are exact; beyond, the approximation is good, and a thousand times as fast
_EXACT: Final = 1_000
#: as many categories are compared, the others are one
_CATEGORIES: Final = 50
#: how often a category is to be expected on either side to be one of its own
_EXPECTED: Final = 5
#: ratios that a changed unit makes
_UNITS: Final = (*(10.0**power for power in range(1, 10)), 60.0, 3_600.0, 86_400.0)
_NEAR: Final = 0.05


@dataclass(frozen=True)
class Change:
    """How two samples differ: how many values take part in it, from 0 to 1, and the p-value that it is chance."""

    effect: float
    p: float


def compare_numbers(now: Numbers, before: Numbers) -> Change:
    """Two samples of numbers, by the two-sided test of Kolmogorov and Smirnov. Neither is empty.

    NaN is larger than all numbers. p is exact where one of them has up to 1,000 values; else it is that of the limit
    with the correction of Vrbik (Pioneer J. Theor. Appl. Statist. 15, 2018), within 4 % of it.
    """
    one, other = _ordered(now), _ordered(before)
    if min(len(one), len(other)) <= _EXACT:
        with warnings.catch_warnings():
            # where it cannot be exact, scipy says so and approximates
            warnings.simplefilter("ignore", RuntimeWarning)
            found = stats.ks_2samp(one, other, method="exact")
        return Change(float(found.statistic), float(found.pvalue))
    effect = _largest_distance(one, other)
    size = round(len(one) * len(other) / (len(one) + len(other)))  # as scipy has it
    z = effect * math.sqrt(size)
    return Change(effect, float(special.kolmogorov(z + 1 / (6 * math.sqrt(size)) + (z - 1) / (4 * size))))


def _ordered(values: Numbers) -> Numbers:
    ordered = np.sort(values)  # NaN last
    return np.where(np.isnan(ordered), np.inf, ordered)


def _largest_distance(one: Numbers, other: Numbers) -> float:
    """Between two distribution functions, of values in order. Where one is above the other, it is at one of its own."""
    return max(_above(one, other), _above(other, one), 0.0)


def _above(one: Numbers, other: Numbers) -> float:
    shares = np.arange(1, len(one) + 1) / len(one)
    return float((shares - np.searchsorted(other, one, side="right") / len(other)).max())


def compare_categories(now: Categories, before: Categories) -> Change:
    """Two samples of categories, by chi-squared; rare ones are taken together. Neither is empty."""
    # of those that are as common as each other, the first by name are the more common ones
    names = sorted({**now, **before})
    counts = np.array([[side.get(name, 0) for name in names] for side in (now, before)])
    counts = counts[:, np.argsort(-counts.sum(axis=0), kind="stable")]
    smaller = counts.sum(axis=1).min() / counts.sum()
    is_own = (counts.sum(axis=0) * smaller >= _EXPECTED) & (np.arange(counts.shape[1]) < _CATEGORIES)
    table = np.column_stack([counts[:, is_own], counts[:, ~is_own].sum(axis=1)])
    table = table[:, table.sum(axis=0) > 0]
    shares = table / table.sum(axis=1, keepdims=True)
    effect = float(np.abs(shares[0] - shares[1]).sum() / 2)
    if table.shape[1] < 2:
        return Change(effect, 1.0)
    return Change(effect, float(stats.chi2_contingency(table, correction=False).pvalue))


# ---------------------------------------------------------------- checks


def drift(look: Look) -> Iterator[Check]:
    """Features that are watched for it, offline and online, each against the same baseline; see `controlled`."""
    for planned in look.view.features:
        if planned.monitors.drift is None or look.offline.problem is not None:
            continue
        yield _check(look, planned, "offline", look.offline.values)
        if look.online is not None and look.online.problem is None:
            yield _check(look, planned, "online", look.online.values)


def controlled(checks: Sequence[Check], allowed: Mapping[str, float]) -> tuple[Check, ...]:
    """Checks of one round, of drift those that alert in view of how many were made: each side for itself.

    Args:
        allowed: by feature, the p-value that its spec asks for.
    """
    adjusted = list(checks)
    for side in ("offline", "online"):
        tested = [number for number, check in enumerate(adjusted) if check.side == side and check.p is not None]
        if not tested:
            continue
        values = np.clip([adjusted[number].p or 0.0 for number in tested], 0, 1)
        for number, q in zip(tested, stats.false_discovery_control(values), strict=True):
            check = adjusted[number]
            is_alert = q < allowed[check.feature] and (check.value or 0) >= (check.threshold or 0)
            verdict = Verdict.ALERT if is_alert else Verdict.OK
            adjusted[number] = replace(check, q=float(q), verdict=verdict, sentence=_sentence(check, is_alert))
    return tuple(adjusted)


def _check(look: Look, planned: Planned, side: Side, values: Mapping[str, Values]) -> Check:
    now, before = values.get(planned.name), look.offline.before.get(planned.name)
    against = _told(planned)
    check = Check.of(
        look.view,
        planned,
        "drift",
        side,
        Verdict.UNKNOWN,
        "",
        threshold=planned.monitors.drift_effect,
        baseline=planned.monitors.drift_baseline.text,
        counted=None if now is None else how_many(now),
    )
    if not is_comparable(planned):
        return replace(check, sentence="ages in a training set are of many instants: choose another drift_baseline")
    if (problem := look.offline.missing.get(planned.name)) is not None:
        return replace(check, sentence=problem)
    if now is None or how_many(now) == 0:
        return replace(check, sentence="no entity has a value now")
    if before is None or how_many(before) == 0:
        return replace(check, sentence=f"there are no values {against}")
    found, change = _compared(planned, now, before, look.at)
    told = f"{change}, {how_many(now):,} values against {how_many(before):,} {against}"
    return replace(check, value=found.effect, p=found.p, sentence=told)


def _compared(planned: Planned, now: Values, before: Values, at: int) -> tuple[Change, str]:
    """How values differ, and the change in words. A value of a class is told to nobody: sentences go to a chat."""
    is_hidden, kind = bool(planned.feature.classification), kind_of(planned)
    if isinstance(now, np.ndarray) and isinstance(before, np.ndarray):
        found, then = compare_numbers(now, before), planned.monitors.drift_baseline.instant(at)
        if kind == "age" and then is not None:
            # times that never change are older every day: they have to change themselves, too
            found = min(found, compare_numbers(_times(now, at), _times(before, then)), key=lambda one: one.effect)
        return found, _change_of_numbers(now, before, kind, is_hidden=is_hidden)
    assert not isinstance(now, np.ndarray)
    assert not isinstance(before, np.ndarray)
    return compare_categories(now, before), _change_of_categories(now, before, is_hidden=is_hidden)


def _times(ages: Numbers, at: int) -> Numbers:
    """The times that ages are of, in epoch milliseconds: whole again, so that equal ones are equal."""
    return np.rint(at - ages * 1000)


def _told(planned: Planned) -> str:
    baseline = planned.monitors.drift_baseline
    if baseline.service is not None:
        return f"of the training set of {baseline.service}"
    return f"of {baseline.text} before" if baseline.before is not None else f"as of {baseline.text}"


def _sentence(check: Check, is_alert: bool) -> str:
    effect = f"{check.value:.1%} of the values are distributed otherwise"
    if is_alert:
        return f"{effect} ({check.told_p}): {check.sentence}"
    return f"{effect}, {check.threshold:.0%} would count ({check.told_p}): {check.sentence}"


def _change_of_numbers(now: Numbers, before: Numbers, kind: Kind, *, is_hidden: bool) -> str:
    middle, then = float(np.median(now)), float(np.median(before))
    if is_hidden:
        return f"the median went {'up' if middle > then else 'down' if middle < then else 'nowhere'}"
    if kind == "age":
        return f"the median age went from {_age(then)} to {_age(middle)}"
    if middle == then or not (math.isfinite(middle) and math.isfinite(then)):
        return _largest_change(now, before)
    change = f"the median went from {then:.6g} to {middle:.6g}"
    ratio = middle / then if then and middle else 1.0
    for factor in _UNITS:
        if abs(ratio / factor - 1) < _NEAR:
            return f"{change}, as if the unit had changed ({factor:g} times as much)"
        if abs(ratio * factor - 1) < _NEAR:
            return f"{change}, as if the unit had changed (a {factor:g}th)"
    return change


def _largest_change(now: Numbers, before: Numbers) -> str:
    """Where two distributions are the farthest apart, of values in words."""
    places = np.unique(np.concatenate([now, before]))  # NaN once, and last
    share, then = (np.searchsorted(np.sort(one), places, side="right") / len(one) for one in (now, before))
    widest = int(np.abs(share - then).argmax())
    return f"values up to {places[widest]:.6g} went from {then[widest]:.1%} to {share[widest]:.1%}"


def _age(seconds: float) -> str:
    if not math.isfinite(seconds):
        return "unknown"
    words = in_words(abs(int(seconds * 1000)))
    return words if seconds >= 0 else f"{words} ahead"


def _change_of_categories(now: Categories, before: Categories, *, is_hidden: bool) -> str:
    all_now, all_before = how_many(now), how_many(before)
    shares = [(name, before.get(name, 0) / all_before, now.get(name, 0) / all_now) for name in {**before, **now}]
    name, then, share = max(shares, key=lambda one: (abs(one[1] - one[2]), one[0]))
    what = "one of the categories" if is_hidden else repr(name)
    return f"{what} went from {then:.1%} to {share:.1%}"
