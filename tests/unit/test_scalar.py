"""The type of every form of the portable language."""

from __future__ import annotations

import pytest

from fsync.language.expression import parse
from fsync.language.scalar import infer
from fsync.language.types import BIGINT, BOOLEAN, DATE, DOUBLE, NULL, TIMESTAMP, VARCHAR, SqlType, decimal, parse_type

COLUMNS: dict[str, SqlType | None] = {
    "n": BIGINT,
    "price": decimal(10, 2),
    "wide": decimal(38, 6),
    "ratio": DOUBLE,
    "name": VARCHAR,
    "day": DATE,
    "at": TIMESTAMP,
    "flag": BOOLEAN,
}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("n + 1", BIGINT),
        ("n - n * n", BIGINT),
        ("-n", BIGINT),
        ("n / 2", DOUBLE),
        ("price + price", decimal(11, 2)),
        ("price - 1.5", decimal(11, 2)),
        ("price + n", decimal(22, 2)),
        ("price * price", decimal(20, 4)),
        ("price * n", decimal(29, 2)),
        ("wide + wide", decimal(38, 6)),
        ("wide * price", decimal(38, 8)),
        ("price + ratio", DOUBLE),
        ("abs(price)", decimal(10, 2)),
        ("cast(price as double)", DOUBLE),
        ("1", BIGINT),
        ("1.50", decimal(3, 2)),
        ("1e3", DOUBLE),
        ("9223372036854775807000", decimal(22, 0)),
        ("null", NULL),
        ("n + null", BIGINT),
        ("coalesce(n, 1.5)", decimal(20, 1)),
        ("nullif(price, 0)", decimal(10, 2)),
        ("case when flag then 1 when n = 2 then ratio end", DOUBLE),
        ("case name when 'a' then day else date '2024-01-31' end", DATE),
        ("n in (1, 2.5) and not flag or name is null", BOOLEAN),
        ("flag is true", BOOLEAN),
        ("at between timestamp '2024-01-31 12:00:00' and timestamp '2024-02-01'", BOOLEAN),
        ("upper(lower(name))", VARCHAR),
    ],
)
def test_an_expression_has_a_type(text: str, kind: SqlType) -> None:
    assert infer(parse(text), text, COLUMNS, "the source") == (kind, ())


@pytest.mark.parametrize(
    "text",
    [
        "name + 1",
        "n and flag",
        "day < at",
        "name = 1",
        "not n",
        "upper(n)",
        "case when n then 1 end",
        "coalesce(name, 1)",
        "date '2024-02-30'",
        "unknown",
        "t.n",
        "random()",
        "n % 2",
        "name || name",
        "n::varchar",
        "interval 1 day",
        "n[1]",
        "(select 1)",
        "sum(n) over ()",
        "?",
        "*",
    ],
)
def test_what_has_none_is_a_fault_inside_the_text(text: str) -> None:
    _, faults = infer(parse(text), text, COLUMNS, "the source")
    assert faults
    assert all(0 <= fault.start < fault.end <= len(text) for fault in faults)


@pytest.mark.parametrize(
    ("declared", "kind"),
    [
        ("INTEGER", BIGINT),
        ("numeric( 12 , 3 )", decimal(12, 3)),
        ("decimal(12)", decimal(12, 0)),
        ("varchar(20)", VARCHAR),
        ("Timestamp With Time Zone", TIMESTAMP),
        ("timestamp_ns", None),
        ("hugeint", None),
        ("decimal(39,2)", None),
        ("int[]", None),
        ("", None),
    ],
)
def test_a_declared_type_is_read_into_the_nearest(declared: str, kind: SqlType | None) -> None:
    assert parse_type(declared) == kind
