"""Instants: whole milliseconds since the Unix epoch, in UTC. Finer digits are cut off, never rounded."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from typing import Final

EPOCH: Final = datetime(1970, 1, 1)
_MILLISECOND: Final = timedelta(milliseconds=1)

#: The end of time, where the last row of every entity ends: 9999-12-31.
END: Final = (datetime(9999, 12, 31) - EPOCH) // _MILLISECOND
#: The first instant there is.
FIRST: Final = (datetime(1, 1, 1) - EPOCH) // _MILLISECOND

#: What the Python API takes for a point in time; one without a zone is UTC.
Moment = datetime | date | str | int


def to_milliseconds(moment: Moment) -> int:
    """A point in time as milliseconds since the epoch.

    Args:
        moment: a datetime (UTC where it has no zone), a date (midnight UTC), ISO 8601 text, or
            milliseconds already.

    Raises:
        ValueError: for a text that is not ISO 8601, or a time outside the years 1 to 9999.
    """
    if isinstance(moment, int):
        return moment
    if isinstance(moment, str):
        try:
            moment = datetime.fromisoformat(moment.strip())
        except ValueError:
            raise ValueError(f"{moment!r} is not a time: write 1998-07-01 or 1998-07-01T12:30:00Z") from None
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day)
    if moment.tzinfo is not None:
        try:
            moment = moment.astimezone(UTC).replace(tzinfo=None)
        except OverflowError:
            raise ValueError(f"{moment.isoformat()} is outside the years 1 to 9999 in UTC") from None
    return (moment - EPOCH) // _MILLISECOND


def to_datetime(milliseconds: int) -> datetime:
    """The UTC datetime, without a zone, of an instant."""
    return EPOCH + milliseconds * _MILLISECOND  # a third of the time of timedelta(milliseconds=…)


def to_text(milliseconds: int) -> str:
    """An instant as ISO 8601 in UTC: `1998-07-01T00:00:00Z`, with milliseconds where there are any."""
    precision = "milliseconds" if milliseconds % 1000 else "seconds"
    return to_datetime(milliseconds).isoformat(timespec=precision) + "Z"


def now() -> int:
    """The wall clock."""
    return time.time_ns() // 1_000_000
