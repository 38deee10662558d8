"""`cast(a as type)`, also written `a::type`: the conversions on which engines agree."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from sqlglot import exp

from fsync.instant import to_milliseconds
from fsync.language.portable.base import Entry, Typing
from fsync.language.portable.place import is_placed, place
from fsync.language.types import (
    BIGINT,
    BOOLEAN,
    DATE,
    DOUBLE,
    MAX_PRECISION,
    NULL,
    TIMESTAMP,
    UUID,
    VARCHAR,
    SqlType,
    decimal,
)

_DIGITS: Final = re.compile(r"(?:\bas\b|::)\s*\w+\s*\(", re.IGNORECASE)


def is_time(text: str, kind: SqlType) -> bool:
    """Whether a text is a constant of type DATE or TIMESTAMP, in ISO 8601."""
    try:
        if kind == DATE:
            date.fromisoformat(text)
        else:
            to_milliseconds(text)
    except ValueError:
        return False
    return True


def time_constant(node: exp.Expr) -> tuple[str, SqlType] | None:
    """The text and type of a constant such as `date '2024-02-29'`; None for anything else, and for a text that is
    no such constant in ISO 8601 (an engine may read it all the same)."""
    text, target = node.this, node.args["to"]
    if not isinstance(text, exp.Literal) or not text.is_string:
        return None
    kind = DATE if target.is_type("date") else TIMESTAMP if target.is_type("timestamp", "timestampntz") else None
    return (text.name, kind) if kind is not None and is_time(text.name, kind) else None


def cast(typing: Typing, node: exp.Expr) -> SqlType | None:
    """The rule of every cast, and of the constants `date '…'` and `timestamp '…'`, which are casts of texts."""
    operand, target = node.this, _target(typing, node)
    if target in (DATE, TIMESTAMP) and isinstance(operand, exp.Literal) and operand.is_string:
        return target if is_time(operand.name, target) else typing.mismatch(operand, f"this is not a {target}")
    found = typing.type_of(operand)
    if target is None or found is None or found in (NULL, target) or _agreed(found, target, operand):
        return target
    message = f"engines do not agree on a cast of {found} to {target}"
    return typing.not_portable(node, message, *_instead(found, target))


def _agreed(found: SqlType, target: SqlType, operand: exp.Expr) -> bool:
    """Whether engines give the same for a cast from one type to another."""
    if target == BIGINT:
        is_whole = found.scale == 0 or isinstance(operand.unnest(), exp.Floor | exp.Ceil)
        return found == BOOLEAN or (found.is_number and is_whole)
    if target == VARCHAR:
        # of DECIMAL(2,2), DuckDB writes .50 where others write 0.50
        is_plain = found.precision is not None and found.precision > (found.scale or 0)
        return is_plain or found in (BIGINT, BOOLEAN, DATE, UUID)
    if target == DOUBLE:
        return found.is_number
    if target.name == "decimal":
        return found.is_exact_number
    return {found, target} == {DATE, TIMESTAMP}


def _instead(found: SqlType, target: SqlType) -> tuple[str, ...]:
    if (found, target) == (VARCHAR, UUID):
        return ("compare its text, which is in lower case: cast(id as varchar) = '123e4567-…'",)
    if found == VARCHAR:
        return ("a text is read in a staging model: cast it there, and declare the column's data_type",)
    if target == BIGINT and found.is_number:
        return ("say how it is rounded: cast(floor(a) as bigint), or ceil(a)",)
    if target.name == "decimal" and found == DOUBLE:
        return ("round it to a whole number first: cast(floor(a * 100 + 0.5) as bigint) * 0.01",)
    if target == VARCHAR and found == TIMESTAMP:
        return ("cast(cast(t as date) as varchar) is its day: 2024-01-31",)
    if target == VARCHAR and found == DOUBLE:
        return ("round it to a whole number first: cast(cast(floor(a) as bigint) as varchar)",)
    if target == VARCHAR and found.precision is not None:
        wider = min(found.precision + 1, MAX_PRECISION)
        return (f"give it a digit before the point: cast(cast(a as decimal({wider}, {found.scale})) as varchar)",)
    if found == BOOLEAN and target.is_number:
        return ("write cast(a as bigint)",)
    if target == BOOLEAN and found.is_number:
        return ("write a <> 0",)
    return ()


# ---------------------------------------------------------------- the type behind `as`


def _target(typing: Typing, node: exp.Expr) -> SqlType | None:
    to: exp.Expr = node.args["to"]
    if to.this == exp.DType.DECIMAL:
        return _decimal(typing, node, to)
    target = _TARGETS.get(to.this)
    if target == VARCHAR and _has_digits(typing, node):
        mend = "write cast(a as varchar), and substring(…, 1, 10) to cut it"
        return typing.not_portable(node, "engines do not agree on a text of limited length", mend)
    if target is None or to.expressions:
        name = to.sql("duckdb") if to.expressions else to.this.value
        return typing.not_portable(node, f"a feature has no type {name.lower()}", _LIKE.get(to.this, _THERE))
    return target


def _decimal(typing: Typing, node: exp.Expr, to: exp.Expr) -> SqlType | None:
    numbers = [parameter.this for parameter in to.expressions]
    if not _has_digits(typing, node):
        return typing.not_portable(node, "engines do not agree on a decimal without digits", "write decimal(18, 3)")
    precision, scale = int(numbers[0].name), int(numbers[1].name) if len(numbers) > 1 else 0
    if not scale <= precision <= MAX_PRECISION or precision == 0:
        return typing.mismatch(node, f"a decimal has 1 to {MAX_PRECISION} digits, after the point at most as many")
    return decimal(precision, scale)


def _has_digits(typing: Typing, node: exp.Expr) -> bool:
    """Whether the type is written with numbers: sqlglot drops the length of a text, and adds digits to a decimal."""
    start, end = place(node, typing.text)
    if is_placed(node.this):
        start = place(node.this, typing.text)[1]
    return _DIGITS.search(typing.text, start, end) is not None


_TARGETS: Final[Mapping[exp.DType, SqlType]] = {
    exp.DType.DOUBLE: DOUBLE,
    exp.DType.BIGINT: BIGINT,
    exp.DType.BOOLEAN: BOOLEAN,
    exp.DType.TEXT: VARCHAR,
    exp.DType.VARCHAR: VARCHAR,
    exp.DType.UUID: UUID,
    exp.DType.DATE: DATE,
    exp.DType.TIMESTAMP: TIMESTAMP,
    exp.DType.TIMESTAMPNTZ: TIMESTAMP,
}
_THERE: Final = "there are: bigint, decimal(p, s), double, varchar, boolean, date, timestamp, uuid"
_LIKE: Final[Mapping[exp.DType, str]] = {
    **dict.fromkeys(
        (exp.DType.TINYINT, exp.DType.SMALLINT, exp.DType.INT), "integers are bigint: cast(floor(a) as bigint)"
    ),
    exp.DType.INT128: "write cast(… as decimal(38, 0))",
    exp.DType.FLOAT: "write cast(… as double)",
    exp.DType.TIMESTAMPTZ: "times are in UTC, without a zone: timestamp '2024-01-31 12:00:00+01:00' is converted",
}

_Example = tuple[str, object]


def _entry(written: str, on: str, gives: str, meaning: str, *examples: _Example) -> Entry:
    rule: Callable[[Typing, exp.Expr], SqlType | None] = cast
    return Entry(written, on, gives, meaning, (exp.Cast,), rule, examples)


CONVERSIONS: Final = (
    _entry(
        "cast(a as double)",
        "numbers",
        "DOUBLE",
        "The nearest DOUBLE. NULL of NULL. Every cast can be written `a::double` too.",
        ("cast(1.5 as double)", 1.5),
        ("3::double", 3.0),
        ("cast(null as double)", None),
    ),
    _entry(
        "cast(a as decimal(10, 2))",
        "BIGINT, DECIMAL",
        "DECIMAL(10,2)",
        "Rounded to the digits, a half away from zero; what is too large is an error of the build. NULL of NULL.",
        ("cast(2.345 as decimal(10, 2))", Decimal("2.35")),
        ("-2.345::decimal(10, 2)", Decimal("-2.35")),
        ("cast(7 as decimal(3, 1))", Decimal("7.0")),
        ("cast(null as decimal(10, 2))", None),
    ),
    _entry(
        "cast(a as bigint)",
        "BOOLEAN, DECIMAL(p,0), `floor(a)`, `ceil(a)`",
        "BIGINT",
        "True is 1, false 0. A whole number is itself; what is too large is an error of the build. NULL of NULL.",
        ("cast(true as bigint)", 1),
        ("cast(floor(-2.5e0) as bigint)", -3),
        ("ceil(2.1)::bigint", 3),
        ("cast(round(2.5) as bigint)", 3),
        ("cast(null as bigint)", None),
    ),
    _entry(
        "cast(a as varchar)",
        "BIGINT, DECIMAL with digits before the point, BOOLEAN, DATE, UUID",
        "VARCHAR",
        "Its digits, of a DECIMAL as many as its type has; `true`; `2024-01-31`; a UUID in lower case. NULL of NULL.",
        ("cast(-12 as varchar)", "-12"),
        ("cast(0.50 as varchar)", "0.50"),
        ("cast(true as varchar)", "true"),
        ("cast(date '0044-03-15' as varchar)", "0044-03-15"),
        ("cast(id as varchar)", "123e4567-e89b-12d3-a456-426614174000"),
        ("cast(null as varchar)", None),
    ),
    _entry(
        "cast(t as date)",
        "TIMESTAMP",
        "DATE",
        "Its day in UTC. NULL of NULL.",
        ("cast(timestamp '1969-12-31 23:59:59.999' as date)", date(1969, 12, 31)),
        ("cast(null as date)", None),
    ),
    _entry(
        "cast(t as timestamp)",
        "DATE",
        "TIMESTAMP",
        "Its midnight in UTC. NULL of NULL.",
        ("cast(date '2024-01-31' as timestamp)", datetime(2024, 1, 31)),
        ("cast(null as timestamp)", None),
    ),
)
