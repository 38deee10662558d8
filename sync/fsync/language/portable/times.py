"""Times: timestamps in UTC and milliseconds, and dates, which mean their midnight."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from sqlglot import exp

from fsync.language.portable.base import Entry, Typing
from fsync.language.portable.place import count_arguments, place
from fsync.language.types import BIGINT, TIMESTAMP, SqlType

TRUNCATED: Final = ("year", "quarter", "month", "week", "day", "hour", "minute", "second")
PARTS: Final = ("year", "quarter", "month", "day", "hour", "minute", "second", "isodow", "doy")
COUNTED: Final = ("day", "hour", "minute", "second", "millisecond")

_QUOTED: Final = re.compile(r"\w+\s*\(\s*'")


def unit_of(node: exp.Expr) -> str:
    """The unit of a `date_trunc`, `extract` or `date_diff`, in lower case."""
    unit = node.this if isinstance(node, exp.Extract) else node.args["unit"]
    return str(unit.name).lower()


def _has_unit(typing: Typing, node: exp.Expr, units: tuple[str, ...], name: str, *, quoted: bool) -> bool:
    """Whether the unit is one of `units`, written out."""
    start, end = place(node, typing.text)
    is_quoted = _QUOTED.match(typing.text[start:end]) is not None
    if is_quoted == quoted and unit_of(node) in units:
        return True
    example = f"{name}('{units[-1]}', …)" if quoted else "extract(day from t)"
    typing.not_portable(node, f"{name}() takes one of {', '.join(units)}", f"it is written {example}")
    return False


def _has_arguments(typing: Typing, node: exp.Expr, written: str) -> bool:
    """Whether no more arguments are written than the parser has kept: it drops a time zone."""
    if count_arguments(node, typing.text) == written.count(",") + 1:
        return True
    typing.not_portable(node, f"it is written {written}")
    return False


def _truncated(typing: Typing, node: exp.Expr) -> SqlType | None:
    if not _has_unit(typing, node, TRUNCATED, "date_trunc", quoted=True):
        return None
    if not _has_arguments(typing, node, "date_trunc('month', t)"):
        return None
    typing.time(node.this)
    return TIMESTAMP


def _extracted(typing: Typing, node: exp.Expr) -> SqlType | None:
    if not _has_unit(typing, node, PARTS, "extract", quoted=False):
        return None
    typing.time(node.expression)
    return BIGINT


def _counted(typing: Typing, node: exp.Expr) -> SqlType | None:
    if not _has_unit(typing, node, COUNTED, "date_diff", quoted=True):
        return None
    if not _has_arguments(typing, node, "date_diff('day', a, b)"):
        return None
    typing.time(node.expression)
    typing.time(node.this)
    return BIGINT


def _list(units: tuple[str, ...]) -> str:
    return ", ".join(f"`{unit}`" for unit in units)


TIMES: Final = (
    Entry(
        written="date_trunc('month', t)",
        on="DATE, TIMESTAMP",
        gives="TIMESTAMP",
        meaning=f"The start of the unit that holds `t`: {_list(TRUNCATED)}. A week starts on Monday. NULL of NULL.",
        nodes=(exp.TimestampTrunc, exp.DateTrunc),
        rule=_truncated,
        examples=(
            ("date_trunc('month', timestamp '2024-05-05 12:30:01')", datetime(2024, 5, 1)),
            ("date_trunc('week', date '2024-05-05')", datetime(2024, 4, 29)),
            ("date_trunc('minute', timestamp '1969-12-31 23:59:59')", datetime(1969, 12, 31, 23, 59)),
            ("date_trunc('day', null)", None),
        ),
    ),
    Entry(
        written="extract(year from t)",
        on="DATE, TIMESTAMP",
        gives="BIGINT",
        meaning=(
            f"A part of a time: {_list(PARTS)}. `second` is whole seconds, `isodow` 1 on Monday and 7 on Sunday, `doy` "
            "the day of the year from 1. A date has 0 hours. NULL of NULL."
        ),
        nodes=(exp.Extract,),
        rule=_extracted,
        examples=(
            ("extract(year from date '2024-12-31')", 2024),
            ("extract(doy from date '2024-12-31')", 366),
            ("extract(isodow from timestamp '2024-05-05 12:00:00')", 7),
            ("extract(second from timestamp '2024-05-05 12:00:59.999')", 59),
            ("extract(hour from null)", None),
        ),
    ),
    Entry(
        written="date_diff('day', a, b)",
        on="DATE, TIMESTAMP",
        gives="BIGINT",
        meaning=(
            f"How many starts of a unit lie between `a` and `b`, below 0 when `b` is the earlier: {_list(COUNTED)}. "
            "A minute before midnight and a minute after it are 1 day apart. NULL when one of the two is."
        ),
        nodes=(exp.DateDiff,),
        rule=_counted,
        examples=(
            ("date_diff('day', timestamp '2024-05-05 23:59:00', timestamp '2024-05-06 00:01:00')", 1),
            ("date_diff('day', timestamp '2024-05-05 00:00:00', timestamp '2024-05-05 23:59:00')", 0),
            ("date_diff('hour', date '2024-05-06', date '2024-05-05')", -24),
            ("date_diff('second', timestamp '1969-12-31 23:59:59.500', timestamp '1970-01-01 00:00:00.400')", 1),
            ("date_diff('day', date '2024-05-06', null)", None),
        ),
    ),
)
