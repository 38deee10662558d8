"""How much of the time values were fresh: by hand, and against a count of every second."""

from __future__ import annotations

import random

import pytest

from fsync.report.compliance import fresh_share

SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000


@pytest.mark.parametrize(
    ("built", "freshness", "share", "late"),
    [
        # every hour, of an hour: two minutes more are allowed
        ([0, HOUR, 2 * HOUR, 3 * HOUR], HOUR, 1.0, 0),
        # the last of them left out: late from two minutes past three
        ([0, HOUR, 2 * HOUR], HOUR, 1 - 58 / 240, 58 * MINUTE),
        # one build: fresh for 1 h and 2 min of 4 h
        ([0], HOUR, 62 / 240, 178 * MINUTE),
        # the second hour is late but for its first two minutes
        ([0, 2 * HOUR, 3 * HOUR], HOUR, 1 - 58 / 240, 58 * MINUTE),
        # time before the first build does not count
        ([3 * HOUR], HOUR, 1.0, 0),
        # a build from before the period, too old when it begins
        ([-5 * HOUR], HOUR, 0.0, 4 * HOUR),
        # a build from before the period, fresh for its first half hour and two minutes
        ([-HOUR // 2, HOUR], 1 * HOUR, 1 - (28 + 118) / 240, 118 * MINUTE),
        # never built, or later
        ([], HOUR, None, 0),
        ([5 * HOUR], HOUR, None, 0),
    ],
)
def test_by_hand(built: list[int], freshness: int, share: float | None, late: int) -> None:
    """A period of four hours, from 0."""
    found, longest = fresh_share(built, freshness, 0, 4 * HOUR)
    assert found == (None if share is None else pytest.approx(share))
    assert longest == late


def test_against_a_count_of_every_second() -> None:
    randomly = random.Random(1)
    for _ in range(200):
        since, until = 0, randomly.randint(60, 3_000)
        built = [randomly.randint(-1_000, 3_500) for _ in range(randomly.randint(0, 6))]
        freshness = randomly.randint(1, 900)
        seconds = range(since, until)
        known = [max((b for b in built if b <= at), default=None) for at in seconds]
        first = min((b for b in built if b < until), default=None)
        counted = [(at, b) for at, b in zip(seconds, known, strict=True) if b is not None]
        found, _ = fresh_share([b * SECOND for b in built], freshness * SECOND, since * SECOND, until * SECOND)
        if first is None:
            assert found is None
        else:
            fresh = sum(at - b < freshness + 120 for at, b in counted)
            assert found == pytest.approx(fresh / len(counted))
