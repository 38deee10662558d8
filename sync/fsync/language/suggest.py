"""What to say to somebody who wrote a name that is not there."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """A note with the known name nearest to `name`, or none."""
    near = get_close_matches(name, list(known), n=1)
    return (f"did you mean {near[0]!r}?",) if near else ()


def which_columns(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """The notes for a column that something does not have: those it has, and the nearest."""
    columns = sorted(known)
    there = f"it has: {', '.join(columns)}" if columns else "it has no columns declared"
    return (there, *did_you_mean(name.lower(), columns))
