"""History and budgets: numbers that are worked out by hand."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from fsync.instant import to_milliseconds
from fsync.warehouse.duckdb import Warehouse
from fsync.warehouse.profile import Profile
from fsync.watch.budget import _left
from fsync.watch.check import Check, Line, Round, Side, Signal, Verdict
from fsync.watch.history import Past, keep, last_verdicts

HOUR = 3_600_000
STORE = "Redis here:6379"
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
    keep(profile, Round(at, at, checks, store=STORE), at)


def _check(signal: Signal, side: Side, verdict: Verdict, value: float | None, counted: int | None) -> Check:
    return Check("spend", "user_spend", "me", signal, side, verdict, "so it is", value, 3600.0, counted)


def _past(profile: Profile, since: int, until: int) -> Past:
    """What is known at the end of a period: nothing more is seen then."""
    return keep(profile, Round(until, until, (), store=STORE), since, with_points=True)


def test_freshness_was_kept_while_no_side_was_late(history: Profile) -> None:
    availability, freshness = _past(history, NOON, NOON + 5 * HOUR).kept
    # of five hours, the second and the third were late
    assert freshness.checks == 5
    assert freshness.kept == pytest.approx(3 / 5)
    # of a thousand probes, fifty got nothing
    assert availability.kept == pytest.approx(950 / 1_000)


def test_a_period_has_what_was_looked_at_within(history: Profile) -> None:
    _, freshness = _past(history, NOON + 2 * HOUR, NOON + 4 * HOUR).kept
    assert freshness.kept == pytest.approx(1 / 2)
    assert freshness.checks == 3


def test_while_nobody_looked_nothing_is_known(history: Profile) -> None:
    """What was seen last holds for three hours, three times the usual: of eight, two were late."""
    _, freshness = _past(history, NOON, NOON + 1_000 * HOUR).kept
    # five looks: four gaps of an hour, and the last one cut to three
    assert freshness.kept == pytest.approx((1 + 1 + 3) / (4 + 3))


def test_points_are_thinned_and_alerts_are_not(history: Profile) -> None:
    found = _past(history, NOON, NOON + 1_000 * HOUR).points
    lines = {
        name: [(point.at - NOON) // HOUR for point in found if (point.signal, point.side) == name]
        for name in (("freshness", "offline"), ("freshness", "online"))
    }
    # a point for every two hours of a thousand, the last one of them; and alerts beside it
    assert lines == {("freshness", "offline"): [1, 3, 4], ("freshness", "online"): [0, 1, 2, 3, 4]}


def test_a_point_has_the_verdict_and_the_value_of_one_check(profile: Profile) -> None:
    for minute, check in enumerate(
        (
            _check("null_ratio", "offline", Verdict.OK, 0.03, 100),
            _check("null_ratio", "offline", Verdict.UNKNOWN, None, None),
        )
    ):
        keep(profile, Round(NOON + minute * 60_000, NOON, (check,)), NOON)
    (point,) = _past(profile, NOON, NOON + 1_000 * HOUR).points
    assert (point.verdict, point.value) == ("unknown", None)


def test_the_last_verdict_of_a_check_is_known(history: Profile) -> None:
    line: Line = ("spend", "freshness", "online")
    with Warehouse(history) as warehouse:
        assert last_verdicts(warehouse, NOON - HOUR, None, STORE) == {}
        assert [last_verdicts(warehouse, NOON + hour * HOUR, None, STORE)[line] for hour in range(5)] == [
            *("ok", "alert", "alert", "ok", "ok"),
        ]


def _round(minute: int, verdict: Verdict) -> Round:
    at = NOON + minute * 60_000
    return Round(at, at, (_check("freshness", "offline", verdict, 60.0, None),), store=STORE)


def test_stores_have_histories_of_their_own(profile: Profile) -> None:
    """Of one project, watched in two places: what is late here is not over since it is fine there."""
    for minute, (store, verdict) in enumerate((("here", Verdict.ALERT), ("there", Verdict.OK))):
        at = NOON + minute * HOUR
        checks = (
            _check("freshness", "offline", Verdict.OK, 60.0, None),
            _check("freshness", "online", verdict, 60.0, None),
        )
        keep(profile, Round(at, at, checks, store=store), NOON)
    with Warehouse(profile) as warehouse:
        found = {
            store: {side: verdict for (_, _, side), verdict in last_verdicts(warehouse, at, None, store).items()}
            for store in ("here", "there", None)
        }
    assert found == {
        "here": {"offline": "ok", "online": "alert"},
        "there": {"offline": "ok", "online": "ok"},
        None: {"offline": "ok"},
    }
    (there,) = keep(profile, Round(at + 1, at + 1, (), store="there"), NOON).kept
    assert there.kept == 1
    # the same instant, watched in both places
    for store in ("here", "there"):
        keep(profile, Round(at + 2, at + 2, checks, store=store), NOON)
    with Warehouse(profile) as warehouse:
        rows = warehouse.rows("select side, store from fsync_watch where epoch_ms(watched_at) % 1000 = 2 order by all")
    assert rows == [("offline", None), ("online", "here"), ("online", "there")]


def test_a_history_of_an_earlier_fsync_goes_on(profile: Profile) -> None:
    keep(profile, _round(0, Verdict.ALERT), NOON)
    with duckdb.connect(str(profile.path)) as connection:
        connection.execute("alter table fsync_watch drop column store")
    assert len(keep(profile, _round(1, Verdict.OK), NOON, with_points=True).points) == 2


def test_what_could_not_be_looked_at_says_nothing(history: Profile) -> None:
    later = NOON + 2 * HOUR + 1
    unknown = _check("freshness", "online", Verdict.UNKNOWN, None, None)
    keep(history, Round(later, later, (unknown,), store=STORE), NOON)
    with Warehouse(history) as warehouse:
        assert last_verdicts(warehouse, later, None, STORE)["spend", "freshness", "online"] == "alert"


def test_looking_at_the_same_instant_again_replaces_what_was_seen(history: Profile) -> None:
    _look(history, NOON + HOUR, False, 1.0, 100)
    with Warehouse(history) as warehouse:
        assert last_verdicts(warehouse, NOON + HOUR, None, STORE)["spend", "freshness", "online"] == "ok"
        assert warehouse.row("select count(*) from fsync_watch") == (15,)


def test_checks_are_kept_for_ninety_days(history: Profile) -> None:
    _look(history, NOON + 100 * 24 * HOUR, False, 1.0, 100)
    with Warehouse(history) as warehouse:
        assert warehouse.row("select count(*) from fsync_watch") == (3,)


def test_another_target_has_a_history_of_its_own(history: Profile) -> None:
    staging = Profile("staging", history.path, "it's stage")
    with Warehouse(staging) as warehouse:
        assert last_verdicts(warehouse, NOON + HOUR, None, STORE) == {}
    assert keep(staging, Round(NOON, NOON, ()), NOON - HOUR) == Past()


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
