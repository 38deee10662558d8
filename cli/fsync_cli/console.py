"""Talking to a person: data goes to stdout, everything else to stderr."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Collection, Iterator, Sized
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from fsync.instant import to_text

if TYPE_CHECKING:
    from fsync.spec.issue import Issue


def say(text: str = "") -> None:
    """A line of talk."""
    print(text, file=sys.stderr)


def emit(text: str) -> None:
    """A line of data."""
    print(text)


def emit_json(value: object) -> None:
    """One JSON document on one line. A DECIMAL is text, with every digit; times are ISO 8601."""
    emit(json.dumps(value, ensure_ascii=False, allow_nan=False, default=_scalar))


def with_instants(plain: Any, names: Collection[str]) -> Any:
    """A dataclass's plain value for JSON: what stands under one of these names, in milliseconds, as ISO 8601."""
    if isinstance(plain, dict):
        return {
            name: to_text(value) if name in names and isinstance(value, int) else with_instants(value, names)
            for name, value in plain.items()
        }
    if isinstance(plain, tuple | list):
        return [with_instants(item, names) for item in plain]
    return jsonable(plain)


def jsonable(value: Any) -> Any:
    """JSON has no NaN and no infinity: they are texts, as they are in the store."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def warned(warnings: Sized) -> str:
    """The end of a report's line: that there are warnings, and who tells them."""
    return f"; {counted(len(warnings), 'warning')}: see `fsync check`" if warnings else ""


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """A number and its noun: `1 error`, `2 errors`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def issue_json(issue: Issue) -> dict[str, object]:
    """An issue for programs: the parts of the text that a person reads."""
    place = issue.place
    where = {"file": place.file, "line": place.line, "column": place.column}
    return {"code": issue.code, "message": issue.message, **where, "notes": issue.notes}


def _scalar(value: object) -> object:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)  # of whatever else a column of a warehouse holds


@contextmanager
def progress_bar(what: str, rate: str | None = None) -> Iterator[Callable[..., None]]:
    """A bar on stderr, where a person is watching. Yields a callable: (done, total or None[, doing]).

    With a `rate` such as "keys/s" it says how fast it goes, and what time is left.
    """
    if not sys.stderr.isatty():
        yield lambda *_: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns: list[ProgressColumn] = [
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[doing]}"),
    ]
    if rate is not None:
        columns += [TextColumn("{task.fields[speed]}"), TimeRemainingColumn()]
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None, doing="", speed="")

        def update(done: int, total: int | None, doing: str = "") -> None:
            speed = bar.tasks[task].speed or 0
            bar.update(task, completed=done, total=total, doing=doing, speed=f"{speed:,.0f} {rate}")

        yield update


def table(headings: list[str], rows: list[list[str]]) -> str:
    """Rows as text, in columns as wide as they need to be."""
    cells = [headings, *rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headings))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells)
    return "\n".join(lines)


def markdown_table(headings: list[str], rows: list[list[str]]) -> str:
    """Rows as a table of Markdown's."""
    escaped = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in (headings, *rows)]
    lines = [f"| {' | '.join(row)} |" for row in escaped]
    return "\n".join([lines[0], f"|{'---|' * len(headings)}", *lines[1:]])


def shown(value: Any) -> str:
    """A feature's value as a person reads it."""
    if value is None:
        return "NULL"
    return format(value, "f") if isinstance(value, Decimal) else str(value)
