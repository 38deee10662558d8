"""Durations: a whole number and one of `s m h d w`, of fixed length (a day is 24 hours)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

#: milliseconds in each unit, the longest first
UNITS: Final = {"w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000}
_DURATION = re.compile(r"([0-9]+)([smhdw])")
_LONGEST_DAYS: Final = 36_525

HOW_TO_WRITE: Final = "a duration is a whole number and a unit: 30s, 5m, 12h, 30d, 4w"


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """A positive span of time, in milliseconds."""

    milliseconds: int

    def __str__(self) -> str:
        """The canonical spelling: the largest of `d h m s` that divides it (so `4w` is `28d`)."""
        for unit in "dhm":
            if self.milliseconds % UNITS[unit] == 0:
                return f"{self.milliseconds // UNITS[unit]}{unit}"
        return f"{self.milliseconds // UNITS['s']}s"


def in_words(milliseconds: int) -> str:
    """About how long a span of time is, in its two largest units: `1 d 2 h`, `5 min`, `3 s`."""
    names = {"d": "d", "h": "h", "m": "min", "s": "s"}
    units = [(names[unit], UNITS[unit]) for unit in "dhms"]
    first = next((number for number, (_, length) in enumerate(units) if milliseconds >= length), len(units) - 1)
    rest = milliseconds
    said: list[str] = []
    for name, length in units[first : first + 2]:
        number, rest = divmod(rest, length)
        said += [f"{number} {name}"] if number or not said else []
    return " ".join(said)


def parse_duration(text: str) -> Duration:
    """Read `30d`.

    Raises:
        ValueError: with a sentence for the reader, when `text` is not a duration, is zero, or is
            longer than a hundred years.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a duration")
    if len(match[1]) > 15 or (span := int(match[1]) * UNITS[match[2]]) > _LONGEST_DAYS * UNITS["d"]:
        raise ValueError(f"{text!r} is longer than a hundred years")
    if span == 0:
        raise ValueError(f"{text!r} is no time at all")
    return Duration(span)
