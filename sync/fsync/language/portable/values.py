"""Columns, constants and brackets: where types come from."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Final

from sqlglot import exp

from fsync.language.portable.base import Entry, Typing
from fsync.language.portable.conversions import cast
from fsync.language.suggest import which_columns
from fsync.language.types import BIGINT, BOOLEAN, DOUBLE, MAX_PRECISION, NULL, VARCHAR, SqlType, decimal


def _column(typing: Typing, node: exp.Expr) -> SqlType | None:
    name = node.name
    if node.args.get("table") is not None:
        return typing.not_portable(node, "a column is written without a table in front of it")
    if name[:1].isdigit():
        return typing.fault("bad-duration", node, f"the duration {name} stands only as the last argument of a window")
    if name.lower() not in typing.columns:
        notes = which_columns(name, typing.columns)
        return typing.fault("unknown-column", node, f"{typing.described} has no column {name!r}", *notes)
    return typing.columns[name.lower()]


def _literal(typing: Typing, node: exp.Expr) -> SqlType | None:
    if node.is_string:
        return VARCHAR
    text = node.name
    if "e" in text.lower():
        return DOUBLE
    whole, point, fraction = text.partition(".")
    whole = whole.lstrip("0") or "0"  # 0.5 has two digits, as in DuckDB
    if not point and len(whole) <= 18:
        return BIGINT
    if len(whole) + len(fraction) > MAX_PRECISION:
        return typing.mismatch(node, f"the number {text} has more than {MAX_PRECISION} digits")
    return decimal(len(whole) + len(fraction), len(fraction))


def _boolean(_typing: Typing, _node: exp.Expr) -> SqlType | None:
    return BOOLEAN


def _null(_typing: Typing, _node: exp.Expr) -> SqlType | None:
    return NULL


def _inside(typing: Typing, node: exp.Expr) -> SqlType | None:
    return typing.type_of(node.this)


VALUES: Final = (
    Entry(
        written="amount",
        on="",
        gives="the type of the column",
        meaning="A column of the source, or another feature of the view, without a table in front of it.",
        nodes=(exp.Column,),
        rule=_column,
        examples=(),
    ),
    Entry(
        written="1",
        on="",
        gives="BIGINT, DECIMAL, DOUBLE",
        meaning="A whole number of up to 18 digits is BIGINT, `1.5` is DECIMAL with the digits it shows, `1e3` DOUBLE.",
        nodes=(exp.Literal,),
        rule=_literal,
        examples=(
            ("1", 1),
            ("0.50", Decimal("0.50")),
            ("1e3", 1000.0),
            ("9223372036854775808000", Decimal("9223372036854775808000")),
        ),
    ),
    Entry(
        written="'text'",
        on="",
        gives="VARCHAR",
        meaning="A quote in it is written twice; a backslash is a backslash.",
        nodes=(exp.Literal,),
        rule=_literal,
        examples=(("'it''s'", "it's"), (r"'a\n'", r"a\n")),
    ),
    Entry(
        written="true, false",
        on="",
        gives="BOOLEAN",
        meaning="The two truth values.",
        nodes=(exp.Boolean,),
        rule=_boolean,
        examples=(("true", True), ("false", False)),
    ),
    Entry(
        written="null",
        on="",
        gives="the type that is needed",
        meaning="No value. `cast(null as bigint)` gives it a type.",
        nodes=(exp.Null,),
        rule=_null,
        examples=(("null", None),),
    ),
    Entry(
        written="date '2024-01-31'",
        on="",
        gives="DATE",
        meaning="A constant day, in ISO 8601; an instant where a timestamp is needed is written `timestamp '…'`.",
        nodes=(exp.Cast,),
        rule=cast,
        examples=(("date '2024-01-31'", date(2024, 1, 31)), ("'2024-01-31'::date", date(2024, 1, 31))),
    ),
    Entry(
        written="timestamp '2024-01-31 12:00:00'",
        on="",
        gives="TIMESTAMP",
        meaning="A constant instant, in ISO 8601, in UTC unless it names a zone, cut to milliseconds.",
        nodes=(exp.Cast,),
        rule=cast,
        examples=(
            ("timestamp '2024-01-31 12:00:00'", datetime(2024, 1, 31, 12)),
            ("timestamp '2024-01-31T12:00:00.123999+01:00'", datetime(2024, 1, 31, 11, 0, 0, 123000)),
        ),
    ),
    Entry(
        written="(a)",
        on="any",
        gives="the type of `a`",
        meaning="What is in brackets is computed first.",
        nodes=(exp.Paren,),
        rule=_inside,
        examples=(("(1 + 2) * 3", 9), ("1 + 2 * 3", 7)),
    ),
)
