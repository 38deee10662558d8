"""What a chat is told: everything once, whatever else is looked at, and whatever does not arrive."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from fsync.instant import to_milliseconds
from fsync.warehouse.duckdb import Warehouse
from fsync.warehouse.profile import Profile
from fsync.watch.check import Check, Round, Side, Verdict, Verdicts
from fsync.watch.history import amend, keep, last_verdicts
from fsync.watch.rounds import changes
from fsync.watch.told import Chat

NOON = to_milliseconds("2024-03-10T12:00:00")
OK, ALERT, UNKNOWN = Verdict.OK, Verdict.ALERT, Verdict.UNKNOWN
OURS, THEIRS = Chat("ours"), Chat("theirs")
#: it could not be told that this alerts
NOT_TOLD = Chat("ours", {("spend", "freshness", "offline"): "ok"})
#: nor that it is over
NOT_OVER = Chat("ours", {("spend", "freshness", "offline"): "alert"})


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    path = tmp_path / "a warehouse.duckdb"
    duckdb.connect(str(path)).close()
    return Profile("dev", path, "main")


def _round(at: int, *verdicts: Verdict | None, side: Side = "offline", store: str = "Redis here:6379") -> Round:
    names = ("freshness", "null_ratio")
    checks = tuple(
        Check("spend", "users", "me", name, side, verdict, "so it is")  # type: ignore[arg-type]  # one of both
        for name, verdict in zip(names, verdicts, strict=False)
        if verdict is not None
    )
    return Round(at, at, checks, store=store)


def _told(profile: Profile, chat: Chat | None, seen: Round) -> list[str]:
    """What is told of a round: `began` or `over`, once each."""
    begun, over = changes(seen, keep(profile, seen, NOON - 1, chat=chat).verdicts)
    return ["began"] * len(begun) + ["over"] * len(over)


@pytest.mark.parametrize("step", [0, 60_000], ids=["at one instant", "a minute apart"])
@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([(OURS, OK), (OURS, ALERT), (OURS, ALERT), (OURS, OK), (OURS, OK)], [[], ["began"], [], ["over"], []]),
        # what could not be looked at is neither
        ([(OURS, ALERT), (OURS, UNKNOWN), (OURS, ALERT)], [["began"], [], []]),
        # somebody looks by hand, and sees what it is told later
        ([(OURS, OK), (None, ALERT), (OURS, ALERT)], [[], ["began"], ["began"]]),
        ([(OURS, ALERT), (None, OK), (OURS, OK)], [["began"], ["over"], ["over"]]),
        # two chats
        ([(OURS, ALERT), (THEIRS, ALERT), (OURS, ALERT), (THEIRS, ALERT)], [["began"], ["began"], [], []]),
        # what did not arrive
        ([(OURS, ALERT), (NOT_TOLD, ALERT), (OURS, ALERT)], [["began"], ["began"], []]),
        ([(OURS, ALERT), (NOT_TOLD, OK)], [["began"], []]),
        ([(OURS, ALERT), (OURS, OK), (NOT_OVER, OK), (OURS, OK)], [["began"], ["over"], ["over"], []]),
    ],
)
def test_a_chat_is_told_what_it_does_not_know(
    profile: Profile, step: int, steps: list[tuple[Chat | None, Verdict]], expected: list[list[str]]
) -> None:
    found = [_told(profile, chat, _round(NOON + number * step, one)) for number, (chat, one) in enumerate(steps)]
    assert found == expected


def test_checks_that_a_round_does_not_make_stay_known(profile: Profile) -> None:
    """As of a watch of other views, or one without --parity."""
    both, one = _round(NOON, ALERT, ALERT), _round(NOON, ALERT, None)
    assert [_told(profile, OURS, seen) for seen in (both, one, both)] == [["began"] * 2, [], []]


def test_stores_are_told_of_each_for_itself(profile: Profile) -> None:
    here = [_round(NOON, ALERT, side="online"), _round(NOON, OK, side="online")]
    there = _round(NOON, OK, side="online", store="Redis there:6379")
    found = [_told(profile, OURS, seen) for seen in (here[0], there, here[0], here[1])]
    assert found == [["began"], [], [], ["over"]]


def test_what_did_not_arrive_at_the_end_is_kept(profile: Profile) -> None:
    amend(profile, OURS, None)  # nothing to keep
    assert _told(profile, OURS, _round(NOON, ALERT)) == ["began"]
    amend(profile, NOT_TOLD, "Redis here:6379")
    assert _told(profile, OURS, _round(NOON, ALERT)) == ["began"]


def test_while_nothing_is_kept_the_chat_itself_knows(profile: Profile) -> None:
    def known(chat: Chat | None) -> Verdicts:
        with Warehouse(profile) as warehouse:
            return last_verdicts(warehouse, NOON, chat, None)

    assert known(OURS) == {}
    assert known(NOT_OVER) == NOT_OVER.amended
    _told(profile, OURS, _round(NOON, OK))
    assert known(OURS) == {("spend", "freshness", "offline"): "ok"}
    assert known(NOT_OVER) == NOT_OVER.amended
