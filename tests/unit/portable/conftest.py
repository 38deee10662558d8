"""The portable language in DuckDB: an expression is typed, lowered and asked for its value."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import duckdb
import pytest

from fsync.language.expression import parse
from fsync.language.portable import infer
from fsync.language.types import (
    BIGINT,
    BOOLEAN,
    DATE,
    DOUBLE,
    NULL,
    TIMESTAMP,
    UUID,
    VARCHAR,
    SqlType,
    decimal,
    parse_type,
)
from fsync.sql.engines import duckdb as engine
from fsync.sql.logical import logical

COLUMNS: Final[Mapping[str, SqlType | None]] = {
    "id": UUID,
    "n": BIGINT,
    "price": decimal(10, 2),
    "rate": decimal(18, 4),
    "wide": decimal(38, 6),
    "share": decimal(2, 2),
    "ratio": DOUBLE,
    "name": VARCHAR,
    "day": DATE,
    "seen": TIMESTAMP,
    "flag": BOOLEAN,
}
#: a row with values, and one without
ROWS: Final = {
    "ones": """'123E4567-E89B-12D3-A456-426614174000', 9007199254740993, -19.99, 0.0625, 1234567.000001, 0.25, 2.5,
        'Ada', '2024-05-05', '2024-05-05 12:34:56.789', true""",
    "nulls": ", ".join(["null"] * len(COLUMNS)),
}

#: text, row → the value and the type of an expression
Evaluate = Callable[..., tuple[Any, SqlType | None]]


@pytest.fixture(scope="session")
def evaluate() -> Iterator[Evaluate]:
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    with duckdb.connect() as connection:
        for row, values in ROWS.items():
            connection.execute(f"create table {row} ({columns})")
            connection.execute(f"insert into {row} values ({values})")

        def ask(text: str, row: str = "ones") -> tuple[Any, SqlType | None]:
            node = parse(text)
            kind, faults = infer(node, text, COLUMNS, "the source")
            assert faults == ()
            sql = engine.render(logical(node), pretty=False)
            found = connection.execute(f"select {sql}, typeof({sql}) from {row}").fetchone()
            assert found is not None
            read = NULL if found[1] == '"NULL"' else parse_type(found[1])
            assert read == kind, f"{sql} is {found[1]}, and not {kind}"
            return found[0], kind

        yield ask
