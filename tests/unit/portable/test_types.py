"""The type that is found of an expression is the one that it has in DuckDB."""

from __future__ import annotations

from itertools import product

import pytest

from fsync.language.types import BIGINT, BOOLEAN, DATE, DOUBLE, NULL, TIMESTAMP, VARCHAR, SqlType, decimal
from tests.unit.portable.conftest import Evaluate


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("n + 1", BIGINT),
        ("n - 1 * n", BIGINT),
        ("-n", BIGINT),
        ("n / 2", DOUBLE),
        ("price + price", decimal(11, 2)),
        ("price - 1.5", decimal(11, 2)),
        ("price + n", decimal(22, 2)),
        ("price + 1", decimal(22, 2)),
        ("price * 0.5", decimal(12, 3)),
        ("price * price", decimal(20, 4)),
        ("price * n", decimal(29, 2)),
        ("wide + wide", decimal(38, 6)),
        ("wide * price", decimal(38, 8)),
        ("price + ratio", DOUBLE),
        ("price % 3", decimal(21, 2)),
        ("n % 2", BIGINT),
        ("7 % 2 * 3", BIGINT),
        ("abs(price)", decimal(10, 2)),
        ("sign(ratio)", BIGINT),
        ("floor(n)", BIGINT),
        ("floor(price)", decimal(10, 0)),
        ("ceil(ratio)", DOUBLE),
        ("round(n, 3)", BIGINT),
        ("round(price, 1)", decimal(10, 1)),
        ("round(price, 5)", decimal(10, 2)),
        ("sqrt(price)", DOUBLE),
        ("power(n, 2)", DOUBLE),
        ("cast(price as double)", DOUBLE),
        ("price::decimal(12, 4)", decimal(12, 4)),
        ("cast(n as numeric(20))", decimal(20, 0)),
        ("cast(floor(price) as bigint)", BIGINT),
        ("cast(price as varchar)", VARCHAR),
        ("cast(seen as date)", DATE),
        ("cast(day as timestamp)", TIMESTAMP),
        ("date_trunc('month', day)", TIMESTAMP),
        ("extract(year from day)", BIGINT),
        ("date_diff('hour', day, seen)", BIGINT),
        ("1", BIGINT),
        ("1.50", decimal(3, 2)),
        ("0.5", decimal(2, 1)),
        (".5", decimal(2, 1)),
        ("1e3", DOUBLE),
        ("9223372036854775807000", decimal(22, 0)),
        ("null", NULL),
        ("n + null", BIGINT),
        ("price * null", decimal(10, 2)),
        ("case when flag then null end", NULL),
        ("coalesce(n, 1.5)", decimal(20, 1)),
        ("coalesce(price, 0)", decimal(21, 2)),
        ("greatest(price, 1, null)", decimal(21, 2)),
        ("least(n, ratio)", DOUBLE),
        ("nullif(price, 0)", decimal(10, 2)),
        ("case when flag then 1 when n = 2 then ratio end", DOUBLE),
        ("case when flag then 1 else -price end", decimal(21, 2)),
        ("case name when 'a' then day else date '2024-01-31' end", DATE),
        ("n in (1, 2.5) and not flag or name is null", BOOLEAN),
        ("flag is true", BOOLEAN),
        ("id = id and id in (id, null) and id is not distinct from id", BOOLEAN),
        ("seen between timestamp '2024-01-31 12:00:00' and timestamp '2024-02-01'", BOOLEAN),
        ("upper(lower(name)) || null", VARCHAR),
        ("length(name)", BIGINT),
        ("name like 'A%'", BOOLEAN),
    ],
)
def test_an_expression_has_a_type(text: str, kind: SqlType, evaluate: Evaluate) -> None:
    assert evaluate(text)[1] == kind


NUMBERS = (
    "n",
    "price",
    "rate",
    "share",
    "ratio",
    "7",
    "0.5",
    "12345678901.25",
    "2e0",
    "null",
    "(n + 1)",
    "floor(rate)",
)


@pytest.mark.parametrize("form", ["{} + {}", "{} - {}", "{} / {}", "coalesce({}, {})", "greatest({}, {})"])
def test_pairs_of_numbers(form: str, evaluate: Evaluate) -> None:
    for left, right in product(NUMBERS, repeat=2):
        evaluate(form.format(left, right))


def test_products_of_numbers(evaluate: Evaluate) -> None:
    for left, right in product(NUMBERS, repeat=2):
        if {left, right} != {"n", "(n + 1)"} and left != right:  # which are more than 64 bits
            evaluate(f"{left} * {right}")


def test_remainders_of_exact_numbers(evaluate: Evaluate) -> None:
    for left, right in product([text for text in NUMBERS if text not in ("ratio", "2e0")], repeat=2):
        evaluate(f"{left} % {right}")
