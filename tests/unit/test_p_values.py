"""The p-values of the package's macros are scipy's: of small and large samples, with ties and without."""

from __future__ import annotations

import itertools

import duckdb
import numpy as np
import pytest
from scipy import stats

from fsync.macro import Package

WATCHING = Package("macros/watching", {}, str)

#: values from 0 on, of which so many are different: many ties, few, none
DIFFERENT = (2, 5, 100, None)
SIZES = (
    *itertools.product((1, 2, 3, 7, 20), (1, 2, 5, 9)),
    (50, 50),
    (33, 200),
    (1, 5_000),
    (500, 500),
    (400, 1_000),
    (3_000, 10_000),
    (10_000, 10_000),
    (20_000, 20_000),
    (15_000, 40_000),
    (20_001, 20_001),
    (200_000, 150_000),
)


def _samples(m: int, n: int, different: int | None, shift: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    one, other = generator.normal(0, 1, m), generator.normal(shift, 1, n)
    if different is None:
        return one, other
    return np.round(one * different / 4), np.round(other * different / 4)


def _ks_p_values(tests: dict[str, tuple[np.ndarray, np.ndarray]]) -> dict[str, float]:
    """What the macro says of the exact statistics, computed in SQL of all values."""
    connection = duckdb.connect()
    connection.execute("create table sample_values (feature varchar, value double, now bigint, before bigint)")
    for feature, (one, other) in tests.items():
        connection.register("one", {"value": one})
        connection.register("other", {"value": other})
        connection.execute(
            "insert into sample_values select ?, value, sum(a), sum(b) from "
            "(select value, 1 as a, 0 as b from one union all select value, 0, 1 from other) group by value",
            [feature],
        )
    connection.execute(
        """
        create table measured as
        select feature, m, n, max(abs(c * n - d * m)) as h
        from (
            select feature,
                sum(now) over (partition by feature order by value) as c,
                sum(before) over (partition by feature order by value) as d,
                sum(now) over (partition by feature) as m,
                sum(before) over (partition by feature) as n
            from sample_values
        )
        group by feature, m, n
        """
    )
    return dict(connection.execute(WATCHING.ks_p_values("measured")).fetchall())


# with two different values scipy gives up counting for one pair, says so, and approximates: as near as the others
@pytest.mark.filterwarnings("ignore:ks_2samp. Exact calculation unsuccessful:RuntimeWarning")
@pytest.mark.parametrize("different", DIFFERENT)
def test_p_values_of_kolmogorov_and_smirnov_are_those_of_scipy(different: int | None) -> None:
    tests = {}
    for number, (m, n) in enumerate(SIZES):
        # from no difference to one that is just not certain
        for strength in (0, 1, 2.5, 4):
            shift = strength / np.sqrt(m * n / (m + n))
            tests[f"{m} {n} {strength}"] = _samples(m, n, different, shift, seed=number)
    found = _ks_p_values(tests)
    assert found.keys() == tests.keys()
    unsure = 0
    for name, (one, other) in tests.items():
        expected = stats.ks_2samp(one, other).pvalue
        assert found[name] == pytest.approx(expected, abs=1e-6), name
        unsure += 1e-4 < expected < 0.9999
    assert unsure > len(tests) / 3, "p-values that are all 0 or 1 would show nothing"


# from 141 on scipy approximates where the macro does not yet
@pytest.mark.parametrize(
    ("few", "within"), [(1, 1e-6), (2, 1e-6), (3, 1e-6), (9, 1e-6), (30, 1e-6), (130, 1e-6), (249, 3e-6), (254, 1e-6)]
)
def test_few_values_against_many_are_those_of_scipy_too(few: int, within: float) -> None:
    """Beyond 10,000 values it is the one-sample statistic of about as many as the few."""
    tests = {
        f"{seed} {strength}": _samples(few, 20_000, None, strength / np.sqrt(few), seed)
        for seed, strength in itertools.product(range(6), (0, 1, 2, 4))
    }
    for name, p in _ks_p_values(tests).items():
        assert p == pytest.approx(stats.ks_2samp(*tests[name]).pvalue, abs=within), name


def test_p_values_are_exact_where_scipys_default_is() -> None:
    """Samples of unequal sizes up to 10,000, of which scipy itself falls back to an approximation at times."""
    one, other = _samples(97, 89, None, 0.3, seed=1)
    (found,) = _ks_p_values({"a": (one, other)}).values()
    assert found == pytest.approx(stats.ks_2samp(one, other, method="exact").pvalue, abs=1e-12)


def test_p_values_of_chi_squared_are_those_of_scipy() -> None:
    connection = duckdb.connect()
    for degrees in (1, 2, 3, 7, 30, 49):
        for statistic in (0.001, 0.5, 1.0, 5.0, degrees, 2.0 * degrees, 60.0, 200.0, 900.0, 5_000.0):
            query = f"select {WATCHING.chi_squared_p(f'{float(statistic)}::double', str(degrees))}"
            ((found,),) = connection.execute(query).fetchall()
            assert found == pytest.approx(stats.chi2.sf(statistic, degrees), abs=1e-9), (statistic, degrees)


def test_what_says_nothing_has_the_p_value_of_nothing() -> None:
    one = np.array([1.0, 2.0, 3.0])
    assert _ks_p_values({"same": (one, one), "nobody": (one, np.array([]))}) == {"same": 1.0}
