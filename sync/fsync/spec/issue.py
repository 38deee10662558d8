"""A place in a file, and what is wrong there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

#: An error stops what was asked for, a warning does not.
Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Place:
    """Some characters of one line of a file. `line` and `column` count from 1."""

    file: str
    line: int
    column: int
    width: int
    #: the whole line, for showing it
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Issue:
    """A fault of somebody's input, or what is hardly meant: what it is, where, and how to mend it (`notes`)."""

    code: str
    message: str
    place: Place
    notes: tuple[str, ...] = ()
    severity: Severity = "error"

    def __str__(self) -> str:
        """As a person reads it: the message, the place, the line with the fault marked, the notes."""
        place, number = self.place, str(self.place.line)
        margin = " " * len(number)
        shown = place.text.expandtabs(1)
        mark = " " * (place.column - 1) + "^" * max(1, place.width)
        lines = [
            f"{self.severity}[{self.code}]: {self.message}",
            f"{margin} --> {place.file}:{place.line}:{place.column}",
            f"{margin} |",
            f"{number} | {shown}".rstrip(),
            f"{margin} | {mark}",
        ]
        return "\n".join([*lines, *(f"{margin} = {note}" for note in self.notes)])


def in_reading_order(issues: Iterable[Issue]) -> tuple[Issue, ...]:
    """Issues by file, then line, then column; a second report of the same thing is dropped."""
    unique = dict.fromkeys(issues)
    return tuple(sorted(unique, key=lambda issue: (issue.place.file, issue.place.line, issue.place.column, issue.code)))
