"""Drift: how samples are compared, and when that alerts; false alarms and power are counted on generated data."""

from __future__ import annotations

import math
import os
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from fsync.instant import to_milliseconds
from fsync.language.types import DOUBLE, TIMESTAMP, VARCHAR
from fsync.spec.monitors import Monitors, read_baseline
from fsync.watch.check import Check, Verdict
from fsync.watch.distribution import distributions
from fsync.watch.drift import compare_categories, compare_numbers, controlled, drift
from fsync.watch.look import Look, Numbers, Offline

#: pairs of samples that are drawn; bench/drift.py draws thousands
PAIRS = int(os.environ.get("FSYNC_TEST_PAIRS", "300"))


def _check(feature: str, p: float, effect: float = 0.5, side: str = "offline") -> Check:
    return Check(feature, "view", "owner", "drift", side, Verdict.UNKNOWN, "so", effect, 0.05, 100, p)  # type: ignore[arg-type]


# ---------------------------------------------------------------- comparing


def test_the_effect_of_numbers_is_the_largest_distance_between_their_distribution_functions() -> None:
    # by hand: at 2, three quarters of the first are no larger, and a quarter of the second
    found = compare_numbers(np.array([1.0, 2.0, 2.0, 9.0]), np.array([2.0, 5.0, 6.0, 7.0]))
    assert found.effect == pytest.approx(0.5)
    # of the 70 ways to deal four and four, as scipy counts them
    assert found.p == pytest.approx(stats.ks_2samp([1, 2, 2, 9], [2, 5, 6, 7], method="exact").pvalue)


def test_what_is_no_number_is_the_largest_of_all() -> None:
    some = np.array([1.0, math.nan, math.inf, -math.inf])
    assert compare_numbers(some, some).effect == 0
    assert compare_numbers(some, np.array([1.0, 2.0, 3.0, -math.inf])).effect == pytest.approx(0.5)


def test_the_effect_of_categories_is_half_the_sum_of_the_distances_of_their_shares() -> None:
    found = compare_categories({"a": 60, "b": 40}, {"a": 80, "b": 120})
    assert found.effect == pytest.approx((0.6 - 0.4) / 2 + (0.6 - 0.4) / 2)
    # by hand: 140 a and 160 b of 300; a third of each is expected on the smaller side
    expected = (60 - 140 / 3) ** 2 / (140 / 3) + (40 - 160 / 3) ** 2 / (160 / 3)
    expected += (80 - 280 / 3) ** 2 / (280 / 3) + (120 - 320 / 3) ** 2 / (320 / 3)
    assert found.p == pytest.approx(stats.chi2.sf(expected, 1))


def test_rare_categories_are_one_together() -> None:
    """Everybody has a name of their own: that says nothing, however many new names there are."""
    now = {f"new {number}": 1 for number in range(500)}
    before = {f"old {number}": 1 for number in range(500)}
    found = compare_categories(now, before)
    assert (found.effect, found.p) == (0, 1)


def test_which_categories_are_common_does_not_hang_on_their_order() -> None:
    """Of a hundred that are as common as each other, the first fifty by name are compared one by one."""
    names = [f"{number:02}" for number in range(100)]
    now = {name: 30 if place % 2 else 20 for place, name in enumerate(names)}
    before = {name: 20 if place % 2 else 30 for place, name in enumerate(names)}
    rising = sorted(names, key=lambda name: now[name])
    found = [
        compare_categories({name: now[name] for name in order}, {name: before[name] for name in order})
        for order in (names, rising, rising[::-1])
    ]
    assert found[0] == found[1] == found[2]
    # by hand: of fifty, each differs by 10 of 2,500; the others together by nothing
    assert found[0].effect == pytest.approx(50 * 10 / 2_500 / 2)


def test_one_category_that_stays_is_no_drift() -> None:
    found = compare_categories({"a": 9}, {"a": 7})
    assert (found.effect, found.p) == (0, 1)


def _look(classification: str) -> Look:
    """A category that is mostly another one now, of a feature that is of a class or not."""
    planned = SimpleNamespace(
        name="city",
        type=VARCHAR,
        monitors=Monitors(),
        feature=SimpleNamespace(owner="me", classification=(classification,) if classification else ()),
    )
    view = SimpleNamespace(name="people", features=(planned,))
    now, before = {"Utrecht": 90, "Breda": 10}, {"Utrecht": 10, "Breda": 90}
    offline = Offline(values={"city": now}, before={"city": before})
    return Look(view, 0, offline, None)  # type: ignore[arg-type]  # of a view only this is asked


def test_a_category_of_a_class_is_not_named() -> None:
    (named,), (hidden,) = drift(_look("")), drift(_look("pii"))
    assert named.sentence == "'Utrecht' went from 10.0% to 90.0%, 100 values against 100 of 28d before"
    assert hidden.sentence == "one of the categories went from 10.0% to 90.0%, 100 values against 100 of 28d before"
    assert distributions(_look(""))["city"].labels == ("Breda", "Utrecht")
    assert distributions(_look("pii")) == {}


@pytest.mark.parametrize(("m", "n"), [(1_001, 1_001), (1_500, 4_000), (10_000, 10_000)])
@pytest.mark.parametrize("strength", [0, 0.5, 1, 1.5, 2])
def test_p_of_many_numbers_is_that_of_scipy(m: int, n: int, strength: float) -> None:
    generator = np.random.default_rng(m + n)
    one, other = generator.normal(strength / math.sqrt(m * n / (m + n)), 1, m), np.round(generator.normal(0, 1, n), 2)
    found, expected = compare_numbers(one, other), stats.ks_2samp(one, other, method="asymp")
    assert found.effect == pytest.approx(expected.statistic, abs=1e-12)
    assert found.p == pytest.approx(expected.pvalue, abs=1e-4)


@pytest.mark.parametrize(("m", "n"), [(10_000, 1), (10_000, 2), (1_001, 20), (2_000, 200), (10_000, 1_000)])
@pytest.mark.parametrize("strength", [0.5, 1, 1.5, 2])
def test_p_of_few_numbers_against_many_is_exact(m: int, n: int, strength: float) -> None:
    generator = np.random.default_rng(m + n)
    one, other = generator.normal(0, 1, m), generator.normal(strength / math.sqrt(m * n / (m + n)), 1, n)
    found, expected = compare_numbers(one, other), stats.ks_2samp(one, other, method="exact")
    assert (found.effect, found.p) == pytest.approx((expected.statistic, expected.pvalue), abs=1e-9)
    assert found == compare_numbers(other, one)


@pytest.mark.parametrize(("m", "n"), [(1_100, 1_001), (3_100, 3_001), (10_000, 1_001), (10_000, 9_999)])
@pytest.mark.parametrize("strength", [1, 1.5, 2])
def test_p_of_many_numbers_is_within_four_percent(m: int, n: int, strength: float) -> None:
    generator = np.random.default_rng(m + n)
    one, other = generator.normal(0, 1, m), generator.normal(strength / math.sqrt(m * n / (m + n)), 1, n)
    assert compare_numbers(one, other).p == pytest.approx(stats.ks_2samp(one, other, method="exact").pvalue, rel=0.04)


def _ages(now: Numbers, before: Numbers, baseline: str = "28d", at: int = 0) -> Check:
    planned = SimpleNamespace(
        name="seen",
        type=TIMESTAMP,
        monitors=Monitors(drift_baseline=read_baseline(baseline)),
        feature=SimpleNamespace(owner="me", classification=()),
    )
    view = SimpleNamespace(name="people", features=(planned,))
    (check,) = drift(Look(view, at, Offline(values={"seen": now}, before={"seen": before})))  # type: ignore[arg-type]
    return check


def test_dates_that_never_change_do_not_drift_at_odd_milliseconds() -> None:
    """Ages are seconds: the times that they are of are whole milliseconds again, or equal ones would differ."""
    births = np.random.default_rng(3).integers(-15_000, 12_000, 2_000) * 86_400_000
    for odd in (1, 123, 457, 999):
        at, then = to_milliseconds("2024-03-15T10:11:12") + odd, to_milliseconds("2024-03-01")
        found = _ages((at - births) / 1000, (then - births) / 1000, "2024-03-01", at)
        assert found.value == 0


def test_times_that_never_change_do_not_drift_and_neither_do_ages_that_stay() -> None:
    """28 days later everybody is 28 days older; or was seen 28 days later."""
    ages = np.random.default_rng(5).uniform(0, 10 * 86_400, 2_000)
    older = _ages(ages + 28 * 86_400, ages)
    assert older.value == pytest.approx(0)
    assert older.p == pytest.approx(1)
    assert "the median age went from" in older.sentence
    assert _ages(ages, ages).value == 0
    # half of a population is not seen any more
    half = np.where(np.arange(2_000) % 2, ages, ages + 28 * 86_400)
    assert _ages(half, ages).value == pytest.approx(0.5, abs=0.01)


def test_values_of_a_class_are_not_told() -> None:
    planned = SimpleNamespace(
        name="pay", type=DOUBLE, monitors=Monitors(), feature=SimpleNamespace(owner="me", classification=("pii",))
    )
    view = SimpleNamespace(name="people", features=(planned,))
    offline = Offline(values={"pay": np.array([51_234.0])}, before={"pay": np.array([73_123.0])})
    (check,) = drift(Look(view, 0, offline))  # type: ignore[arg-type]
    assert check.sentence == "the median went down, 1 values against 1 of 28d before"


def test_where_the_median_stays_the_largest_change_is_told() -> None:
    planned = SimpleNamespace(
        name="pay", type=DOUBLE, monitors=Monitors(), feature=SimpleNamespace(owner="me", classification=())
    )
    view = SimpleNamespace(name="people", features=(planned,))
    offline = Offline(values={"pay": np.array([1.0, 9, 9, 9])}, before={"pay": np.array([1.0, 1.0, 9, 9, 9])})
    (check,) = drift(Look(view, 0, offline))  # type: ignore[arg-type]
    assert check.sentence.startswith("values up to 1 went from 40.0% to 25.0%, 4 values against 5")


# ---------------------------------------------------------------- many features


def test_p_values_are_adjusted_among_all_features() -> None:
    """By hand, after Benjamini and Hochberg: the least of p times five over its place, from there on."""
    checks = [_check(f"f{number}", p) for number, p in enumerate((0.001, 0.008, 0.039, 0.041, 0.6))]
    found = controlled(checks, {check.feature: 0.04 for check in checks})
    assert [check.q for check in found] == pytest.approx([0.005, 0.02, 0.05125, 0.05125, 0.6])
    assert [check.is_alert for check in found] == [True, True, False, False, False]


def test_the_sides_are_adjusted_each_for_itself() -> None:
    checks = [_check("f", 0.009), *(_check(f"g{number}", 0.9, side="online") for number in range(50))]
    assert controlled(checks, {check.feature: 0.01 for check in checks})[0].q == pytest.approx(0.009)


def test_many_values_do_not_alert_on_nothing() -> None:
    """Ten million of them are sure of any difference."""
    found = controlled([_check("f", 1e-200, effect=0.049)], {"f": 0.01})
    assert not found[0].is_alert
    assert controlled([_check("f", 1e-200, effect=0.05)], {"f": 0.01})[0].is_alert


# ---------------------------------------------------------------- how often it is right


@pytest.mark.parametrize("kind", ["continuous", "counts", "categories"])
def test_false_alarms_are_as_rare_as_is_asked_for(kind: str) -> None:
    generator = np.random.default_rng(7)

    def alarm() -> bool:
        if kind == "categories":
            one, other = (Counter(map(str, generator.poisson(4, 1_000))) for _ in range(2))
            return compare_categories(one, other).p < 0.01
        is_continuous = kind == "continuous"
        now, before = (
            generator.lognormal(size=1_000) if is_continuous else generator.poisson(4, 1_000).astype(float)
            for _ in range(2)
        )
        return compare_numbers(now, before).p < 0.01

    alarms = sum(alarm() for _ in range(PAIRS))
    interval = stats.binomtest(alarms, PAIRS).proportion_ci(0.999)
    assert interval.low <= 0.01, f"{alarms} of {PAIRS}"
    if kind != "counts":  # ties make the test of Kolmogorov and Smirnov careful
        assert interval.high >= 0.01, f"{alarms} of {PAIRS}"


def test_a_shift_of_a_fifth_of_a_standard_deviation_is_caught() -> None:
    generator = np.random.default_rng(8)
    pairs = PAIRS // 5
    default = Monitors()
    for _ in range(pairs):
        found = compare_numbers(generator.normal(0.2, 1, 10_000), generator.normal(0, 1, 10_000))
        assert default.drift is not None
        assert found.p < default.drift
        assert found.effect >= default.drift_effect
