"""What the warehouse writes for a store, against the contract in plain Python, and read back by the reader's own code.

Tables of random rows, of every type, with every value that is hard to write; entities of every type.
"""

from __future__ import annotations

import json
import math
import os
import random
import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import duckdb
import pytest

from fsync import wire
from fsync.instant import EPOCH, to_datetime
from fsync.language import types
from fsync.language.types import SqlType, decimal
from fsync.sql.online import online_query

TABLES = int(os.environ.get("FSYNC_TEST_TABLES", "60"))

MONEY = decimal(38, 2)
FINE = decimal(38, 38)
LETTERS = [
    "",
    " ",
    "a",
    "|",
    "%",
    "{",
    "}",
    '"',
    "\\",
    "\n",
    "\r\n",
    "\x00",
    "\x1f",
    "\x7f",
    "/",
    "é",
    "🦆",
    "\u2028",
    ":",
    "7C",
]
VALUES: dict[SqlType, list[Any]] = {
    types.BIGINT: [0, 1, -1, 2**63 - 1, -(2**63)],
    types.DOUBLE: [
        0.0,
        -0.0,
        0.1,
        -1e300,
        5e-324,
        1e16,
        1e15,
        123456789.123,
        1 / 3,
        math.nan,
        math.inf,
        -math.inf,
        2.0**53,
    ],
    types.BOOLEAN: [True, False],
    types.VARCHAR: LETTERS,
    MONEY: [Decimal("0.00"), Decimal("-0.01"), Decimal("9" * 36 + ".99"), Decimal("1.10")],
    FINE: [Decimal("0." + "0" * 37 + "1"), Decimal("-0." + "9" * 38)],
    types.DATE: [date(1, 1, 1), date(1969, 12, 31), date(9999, 12, 31), date(2024, 2, 29)],
    types.TIMESTAMP: [
        datetime(1, 1, 1),
        datetime(1969, 12, 31, 23, 59, 59, 999000),
        datetime(9999, 12, 31, 23, 59, 59, 999000),
    ],
    types.UUID: [UUID(int=0), UUID(int=2**128 - 1)],
}
#: of the values that a window without events has
EMPTIES: dict[SqlType, Any] = {types.BIGINT: 0, MONEY: Decimal("0.00"), types.BOOLEAN: False, types.VARCHAR: "%"}
KEYS: dict[SqlType, list[Any]] = {
    types.BIGINT: [0, -5, 2**63 - 1],
    types.VARCHAR: [*LETTERS, "a|b", "%7C", "}:v:1111aaaa", "x" * 70_000],
    types.DATE: [date(1, 1, 1), date(1998, 7, 1)],
    types.UUID: [UUID(int=7), UUID(int=2**127)],
}


def encoded(items: list[tuple[int, list[Any]]], kinds: list[SqlType]) -> str:
    """The contract, straight from the docstring of `fsync.wire.values`."""
    written: list[str] = []
    last = None
    for start, values in items:
        text = ",".join(in_json(value, kind) for value, kind in zip(values, kinds, strict=True))
        if text != last:
            written.append(f"[{start},[{text}]]")
        last = text
    return f"[{','.join(written)}]"


def in_json(value: Any, kind: SqlType) -> str:
    if value is None:
        return "null"
    if kind == types.DOUBLE and not math.isfinite(value):
        return '"NaN"' if math.isnan(value) else '"Infinity"' if value > 0 else '"-Infinity"'
    if kind.name == "decimal":
        return f'"{value:f}"'
    if kind == types.TIMESTAMP:
        return str((value - EPOCH) // timedelta(milliseconds=1))
    if kind in (types.DATE, types.UUID):
        return f'"{value}"'
    if kind == types.DOUBLE:  # any text that gives the number back
        with_exponent, _, exponent = repr(value).partition("e")
        if exponent in ("+16", "16"):
            return "10000000000000000.0"
        return f"{with_exponent}e{int(exponent)}" if exponent else with_exponent
    # a control character's digits are capitals
    text = json.dumps(value, ensure_ascii=False)
    return re.sub(r"\\u00[01][0-9a-f]", lambda found: rf"\u{found[0][2:].upper()}", text)


def same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and math.isnan(one):
        return isinstance(other, float) and math.isnan(other)
    return one == other and type(one) is type(other)


@pytest.mark.parametrize("seed", range(TABLES))
def test_what_is_written_is_the_contract(seed: int) -> None:
    randomly = random.Random(seed)
    kinds = randomly.choices(list(VALUES), k=randomly.randint(1, 6))
    key_kinds = randomly.choices(list(KEYS), k=randomly.randint(1, 3))
    empty = [EMPTIES.get(kind) for kind in kinds]
    rows = random_rows(randomly, kinds, key_kinds, empty)
    as_of, until = sorted((randomly.randint(0, 60), randomly.randint(0, 60)))
    sparse = randomly.random() < 0.7
    view: Any = SimpleNamespace(
        name="v",
        hash="1111aaaa",
        entity=[SimpleNamespace(name=f"k{number}", type=kind) for number, kind in enumerate(key_kinds)],
        features=[SimpleNamespace(name=f"v{number}", type=kind) for number, kind in enumerate(kinds)],
    )
    with duckdb.connect() as connection:
        columns = [f"{column.name} {column.type}" for column in (*view.entity, *view.features)]
        connection.execute(f"create table t (valid_from timestamp, valid_to timestamp, {', '.join(columns)})")
        marks = ", ".join("?" * (2 + len(columns)))
        connection.executemany(
            f"insert into t values ({marks})",
            [(to_datetime(start), to_datetime(end), *key, *values) for key, start, end, values in rows],
        )
        query = online_query(view, "t", as_of, until, empty, "fs", sparse=sparse)
        found = dict(connection.execute(query).fetchall())
    expected: dict[str, str] = {}
    named = [(column.name, column.type) for column in view.entity]
    for key in {key for key, *_ in rows}:
        items = [(start, values) for of, start, end, values in rows if of == key and start < until and end >= as_of]
        is_empty = all(
            all(value == other or (value is None and other is None) for value, other in zip(values, empty, strict=True))
            for _, values in items
        )
        if items and not (sparse and is_empty):
            expected[wire.entity_key("fs", "1111aaaa", "v", wire.entity_text(key, named))] = encoded(items, kinds)
    assert found == expected
    for text in found.values():
        for _, values in wire.decode(text.encode(), kinds):
            assert len(values) == len(kinds)


def random_rows(
    randomly: random.Random, kinds: list[SqlType], key_kinds: list[SqlType], empty: list[Any]
) -> list[tuple[tuple[Any, ...], int, int, list[Any]]]:
    """Rows of a validity table, in the order of time for each key: (key, from, to, values)."""
    rows = []
    keys = {tuple(randomly.choice(KEYS[kind]) for kind in key_kinds) for _ in range(12)}
    for key in keys:
        starts = sorted(randomly.sample(range(60), randomly.randint(1, 6)))
        values: list[Any] = []
        for start, end in zip(starts, [*starts[1:], 253_370_764_800_000], strict=True):
            if not values or randomly.random() < 0.7:  # else it changes nothing
                values = [randomly.choice([*VALUES[kind], None]) for kind in kinds]
            if randomly.random() < 0.2:
                values = list(empty)
            rows.append((key, start, end, values))
    return rows


def test_values_come_back_as_they_were() -> None:
    for kind, values in VALUES.items():
        for value in [*values, None]:
            ((_, (back,)),) = wire.decode(encoded([(5, [value])], [kind]).encode(), [kind])
            assert same(value, back), (kind, value, back)
