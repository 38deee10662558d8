from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from fsync.instant import Moment, to_datetime, to_milliseconds, to_text

BERLIN_SUMMER = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ("moment", "milliseconds"),
    [
        ("1970-01-01", 0),
        (date(1970, 1, 2), 86_400_000),
        ("1998-07-01", 899_251_200_000),
        ("1998-07-01T00:00:00Z", 899_251_200_000),
        ("1998-07-01 02:00:00+02:00", 899_251_200_000),
        (datetime(1998, 7, 1), 899_251_200_000),
        (datetime(1998, 7, 1, 2, tzinfo=BERLIN_SUMMER), 899_251_200_000),
        (datetime(1998, 7, 1, tzinfo=UTC), 899_251_200_000),
        (899_251_200_000, 899_251_200_000),
        # finer digits are cut off, before 1970 too
        ("1970-01-01T00:00:00.001999", 1),
        ("1969-12-31T23:59:59.999999", -1),
        ("1969-12-31T23:59:59.999001", -1),
    ],
)
def test_a_moment_is_milliseconds_of_utc(moment: Moment, milliseconds: int) -> None:
    assert to_milliseconds(moment) == milliseconds


def test_there_and_back() -> None:
    for instant in (0, -1, 1, 899_251_200_000, 253_402_214_400_000):
        assert to_milliseconds(to_datetime(instant)) == instant
        assert to_milliseconds(to_text(instant)) == instant
    assert to_text(0) == "1970-01-01T00:00:00Z"
    assert to_text(1) == "1970-01-01T00:00:00.001Z"


@pytest.mark.parametrize("text", ["", "yesterday", "1998-13-01", "1998-07-01T25:00:00", "30d"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time"):
        to_milliseconds(text)
