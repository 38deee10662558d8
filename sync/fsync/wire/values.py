"""The value of an entity's key: a JSON text, `[[from, [v1, v2, …]], …]`.

One item for each change, with the instant it holds from (exclusive, in epoch milliseconds) and the features in the
order of the meta. The first item is the row that was valid at the push, the others are the changes that are known to
come before the push's horizon; one that changes nothing is left out. As of t the last item with `from < t` holds.

In JSON, BIGINT and DOUBLE are numbers, BOOLEAN true or false, VARCHAR text, DECIMAL text ("38.32", every digit),
TIMESTAMP epoch milliseconds, DATE "1998-07-01", UUID text; of DOUBLE, "NaN", "Infinity" and "-Infinity" are texts.
NULL is null.

The warehouse writes values (`fsync.sql.online`), and this module reads them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final, TypeVar
from uuid import UUID

import orjson

from fsync.instant import to_datetime, to_milliseconds
from fsync.language.types import SqlType

#: A feature's value in Python: int, float, Decimal, bool, str, date, datetime, UUID or None.
Value = Any
#: A change: the instant it holds from (exclusive), and the features from then on.
Item = tuple[int, tuple[Value, ...]]
#: A place among an item's values, and what JSON has there made a value.
Conversion = tuple[int, Callable[[Any], Value]]

T = TypeVar("T")

#: What JSON has no number for.
NOT_FINITE: Final = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}

#: how JSON becomes a value, for the types that JSON does not have
CONVERTERS: Final[dict[str, Callable[[Any], Value]]] = {
    "decimal": Decimal,
    "double": lambda plain: plain if type(plain) is float else _double(plain),
    "timestamp": to_datetime,
    "date": date.fromisoformat,
    "uuid": UUID,
}


def _double(plain: Any) -> float:
    """A DOUBLE that JSON does not have as one: a whole number, or what it has no number for."""
    return NOT_FINITE[plain] if isinstance(plain, str) else float(plain)


def parse(value: bytes) -> list[tuple[int, list[Any]]]:
    """The items of a key's value as JSON has them, in the order of time. Raises ValueError for what is no JSON."""
    items: list[tuple[int, list[Any]]] = orjson.loads(value)
    return items


def converters(types: Sequence[SqlType]) -> tuple[Conversion, ...]:
    """The places of the values that are more than JSON has, and what makes them so."""
    found = ((place, CONVERTERS.get(kind.name)) for place, kind in enumerate(types))
    return tuple((place, convert) for place, convert in found if convert is not None)


def restore(rows: Sequence[Sequence[Any]], conversions: Sequence[Conversion]) -> list[tuple[Value, ...]]:
    """Rows of values as JSON has them, made those of their features: column by column, which is quick.

    Raises:
        ValueError: when they are no values of these types, or the rows differ in length.
    """
    if not rows:
        return []
    try:
        columns: list[Sequence[Value]] = list(zip(*rows, strict=True))
        for place, convert in conversions:
            columns[place] = [None if plain is None else convert(plain) for plain in columns[place]]
    except (TypeError, LookupError, AttributeError, ArithmeticError) as error:
        raise ValueError("not a value of the view's features") from error
    return list(zip(*columns, strict=True))


def decode(value: bytes, types: Sequence[SqlType]) -> tuple[Item, ...]:
    """The items of a key's value, in the order of time.

    Raises:
        ValueError: when it is no value of these types.
    """
    try:
        items = [(start, list(plain)) for start, plain in parse(value)]
    except TypeError as error:
        raise ValueError("not a value of the view's features") from error
    if any(len(plain) != len(types) for _, plain in items):
        raise ValueError("not a value of the view's features")
    rows = restore([plain for _, plain in items], converters(types))
    return tuple((start, row) for (start, _), row in zip(items, rows, strict=True))


def parse_holding(value: bytes, at: int) -> list[Any] | None:
    """What holds as of `at` of a key's value, as JSON has it; see `parse` and `holding`."""
    items = orjson.loads(value)
    start, values = items[-1]
    return values if start < at else holding(items, at)


def holding(items: Sequence[tuple[int, T]], at: int) -> T | None:
    """What holds as of `at`; None before the first item."""
    for start, values in reversed(items):
        if start < at:
            return values
    return None


def to_json(value: Value, kind: SqlType) -> Any:
    """A value as JSON has it."""
    if value is None:
        return None
    if kind.name == "decimal":
        return format(value, "f")
    if kind.name == "double":
        if math.isfinite(value):
            return float(value)
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if kind.name == "timestamp":
        return to_milliseconds(value)
    if kind.name in ("date", "uuid"):
        return str(value)
    return value


def from_json(plain: Any, kind: SqlType) -> Value:
    """The value that JSON has as `plain`."""
    convert = CONVERTERS.get(kind.name)
    return plain if plain is None or convert is None else convert(plain)
