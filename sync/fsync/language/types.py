"""The types of columns and features: few, each with one meaning on every engine and on the wire.

A declared dbt `data_type` is read into the nearest of them with `parse_type`; integers of every
width are BIGINT, since features count and sum them in 64 bits or more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class SqlType:
    """A SQL type. `precision` and `scale` are set for DECIMAL alone."""

    name: str
    precision: int | None = None
    scale: int | None = None

    def __str__(self) -> str:
        if self.precision is None:
            return self.name
        return f"{self.name}({self.precision},{self.scale})"

    def __deepcopy__(self, _memo: object) -> SqlType:
        return self  # nothing in it changes, and syntax trees that note types are copied often

    @property
    def is_integer(self) -> bool:
        return self.name == "bigint"

    @property
    def is_number(self) -> bool:
        return self.name in ("bigint", "decimal", "double")

    @property
    def is_exact_number(self) -> bool:
        return self.name in ("bigint", "decimal")


BOOLEAN: Final = SqlType("boolean")
BIGINT: Final = SqlType("bigint")
DOUBLE: Final = SqlType("double")
VARCHAR: Final = SqlType("varchar")
DATE: Final = SqlType("date")
TIMESTAMP: Final = SqlType("timestamp")
UUID: Final = SqlType("uuid")
#: The type of a bare NULL, which fits wherever another type does.
NULL: Final = SqlType("null")

MAX_PRECISION: Final = 38

_NAMES: Final = {
    **dict.fromkeys(("boolean", "bool"), BOOLEAN),
    **dict.fromkeys(("tinyint", "smallint", "integer", "int", "bigint", "long"), BIGINT),
    **dict.fromkeys(("int1", "int2", "int4", "int8", "short"), BIGINT),
    **dict.fromkeys(("utinyint", "usmallint", "uinteger"), BIGINT),
    **dict.fromkeys(("double", "double precision", "float", "real", "float4", "float8"), DOUBLE),
    **dict.fromkeys(("varchar", "text", "string", "char", "bpchar"), VARCHAR),
    "date": DATE,
    # not timestamp_ns: engines round its last digits where they have to be cut off
    **dict.fromkeys(("timestamp", "datetime", "timestamp without time zone"), TIMESTAMP),
    **dict.fromkeys(("timestamp_s", "timestamp_ms", "timestamp_us"), TIMESTAMP),
    **dict.fromkeys(("timestamptz", "timestamp with time zone"), TIMESTAMP),
    "uuid": UUID,
}

_DECIMAL = re.compile(r"(?:decimal|numeric|dec)\s*(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?")
_LENGTH = re.compile(r"\s*\(\s*\d+\s*\)")


def decimal(precision: int, scale: int) -> SqlType:
    """DECIMAL of at most 38 digits; a larger precision is cut to 38."""
    return SqlType("decimal", min(precision, MAX_PRECISION), scale)


def quantised(scale: int) -> SqlType:
    """The type of a DOUBLE that is cut to `scale` digits after the point: a whole BIGINT of them."""
    return decimal(19 + scale, scale)


def parse_type(text: str) -> SqlType | None:
    """Read a declared type such as `decimal(10, 2)` or `varchar(20)`; None when it has no meaning here."""
    text = " ".join(text.lower().split())
    if match := _DECIMAL.fullmatch(text):
        if match[1] is None:
            return decimal(18, 3)  # what DuckDB makes of a bare DECIMAL
        precision, scale = int(match[1]), int(match[2] or 0)
        return decimal(precision, scale) if scale <= precision <= MAX_PRECISION else None
    return _NAMES.get(_LENGTH.sub("", text))


def is_zoned(text: str) -> bool:
    """Whether a declared type is a timestamp with a zone, which reading converts to UTC."""
    return " ".join(text.lower().split()) in ("timestamptz", "timestamp with time zone")
