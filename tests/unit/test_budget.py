"""History and budgets: numbers that are worked out by hand."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from fsync.instant import to_milliseconds
from fsync.warehouse.duckdb import Warehouse
from fsync.warehouse.profile import Profile
from fsync.watch.budget import _left
from fsync.watch.check import Check, Round, Side, Signal, Verdict
from fsync.watch.history import alerting, kept, points, write

HOUR = 3_600_000
NOON = to_milliseconds("2024-03-10T12:00:00")


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    path = tmp_path / "a warehouse.duckdb"
    duckdb.connect(str(path)).close()
    return Profile("dev", path, "main")


@pytest.fixture
def history(profile: Profile) -> Profile:
    """Five looks, an hour apart: late at the second and third; probes answered in parts."""
    for hour, (is_late, answered, probes) in enumerate(
        [(False, 1.0, 100), (True, 0.5, 100), (True, 1.0, 300), (False, 1.0, 100), (False, 1.0, 400)]
    ):
        _look(profile, NOON + hour * HOUR, is_late, answered, probes)
    return profile


def _look(profile: Profile, at: int, is_late: bool, answered: float, probes: int) -> None:
    late = Verdict.ALERT if is_late else Verdict.OK
    checks = (
        _check("freshness", "offline", Verdict.OK, 60.0, None),
        _check("freshness", "online", late, 7200.0 if is_late else 60.0, None),
        _check("availability", "online", Verdict.OK, answered, probes),
    )
    write(profile, Round(at, at, checks))


def _check(signal: Signal, side: Side, verdict: Verdict, value: float | None, counted: int | None) -> Check:
    return Check("spend", "user_spend", "me", signal, side, verdict, "so it is", value, 3600.0, counted)


def test_freshness_was_kept_while_no_side_was_late(history: Profile) -> None:
    with Warehouse(history) as warehouse:
        availability, freshness = kept(warehouse, NOON, NOON + 5 * HOUR)
    # of five hours, the second and the third were late
    assert freshness.checks == 5
    assert freshness.kept == pytest.approx(3 / 5)
    # of a thousand probes, fifty got nothing
    assert availability.kept == pytest.approx(950 / 1_000)


def test_a_period_has_what_was_looked_at_within(history: Profile) -> None:
    with Warehouse(history) as warehouse:
        _, freshness = kept(warehouse, NOON + 2 * HOUR, NOON + 4 * HOUR)
        assert freshness.kept == pytest.approx(1 / 2)
        assert freshness.checks == 3
        assert len(points(warehouse, NOON, NOON + 5 * HOUR)) == 15
        found = points(warehouse, NOON, NOON + 5 * HOUR, most=2)
    lines = {
        name: [(point.at - NOON) // HOUR for point in found if (point.signal, point.side) == name]
        for name in (("freshness", "offline"), ("freshness", "online"))
    }
    # the newest and every third before it; and what alerted
    assert lines == {("freshness", "offline"): [1, 4], ("freshness", "online"): [1, 2, 4]}


def test_what_alerted_last_is_known(history: Profile) -> None:
    with Warehouse(history) as warehouse:
        assert alerting(warehouse, NOON) is None
        assert alerting(warehouse, NOON + HOUR) == frozenset()
        assert list(alerting(warehouse, NOON + 2 * HOUR) or ()) == [("spend", "freshness", "online")]


def test_looking_at_the_same_instant_again_replaces_what_was_seen(history: Profile) -> None:
    _look(history, NOON + HOUR, False, 1.0, 100)
    with Warehouse(history) as warehouse:
        assert len(points(warehouse, NOON, NOON + 5 * HOUR)) == 15
        assert alerting(warehouse, NOON + 2 * HOUR) == frozenset()


def test_checks_are_kept_for_ninety_days(history: Profile) -> None:
    _look(history, NOON + 100 * 24 * HOUR, False, 1.0, 100)
    with Warehouse(history) as warehouse:
        assert {point.at for point in points(warehouse, 0, NOON + 200 * 24 * HOUR)} == {NOON + 100 * 24 * HOUR}


def test_without_a_history_nothing_was_kept(profile: Profile) -> None:
    with Warehouse(profile) as warehouse:
        assert (kept(warehouse, 0, NOON), points(warehouse, 0, NOON), alerting(warehouse, NOON)) == ((), (), None)


@pytest.mark.parametrize(
    ("share", "objective", "left"),
    [
        (1.0, 0.99, 1.0),
        (0.995, 0.99, 0.5),
        (0.99, 0.99, 0.0),
        (0.97, 0.99, -2.0),
        (1.0, 1.0, 1.0),
        (0.9, 1.0, -1.0),
        (0.5, None, None),
    ],
)
def test_a_budget_is_what_a_promise_leaves_room_for(share: float, objective: float | None, left: float | None) -> None:
    assert _left(share, objective) == (None if left is None else pytest.approx(left))
