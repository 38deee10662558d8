"""One canonical form for every spelling of an expression, and another for whatever can differ from it."""

from __future__ import annotations

import pytest

from fsync.language.canonical import canonical
from fsync.language.expression import parse
from fsync.language.types import BIGINT, BOOLEAN, DATE, DOUBLE, TIMESTAMP, VARCHAR, SqlType, decimal

COLUMNS: dict[str, SqlType | None] = {
    "n": BIGINT,
    "m": BIGINT,
    "price": decimal(10, 2),
    "ratio": DOUBLE,
    "name": VARCHAR,
    "day": DATE,
    "at": TIMESTAMP,
    "a": BOOLEAN,
    "b": BOOLEAN,
    "c": BOOLEAN,
}


def form(text: str) -> str:
    return canonical(parse(text), COLUMNS)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("n+1", "( N + 1 ) /* more */"),
        ('"price" * 2', "2 * price"),
        ("price = n", "n = price"),
        ("price != n", "not n = price"),
        ("n > 5", "5 < n"),
        ("5 <= n", "n >= 5"),
        ("not n < 5", "n >= 5"),
        ("n > 5", "n > 5.00"),
        ("price >= -1.5", "price >= -1.50"),
        ("a and (b and c)", "(c and a) and b"),
        ("a or b or a", "b or a"),
        ("not (a and b)", "not b or not a"),
        ("not (a or not b)", "b and not a"),
        ("not not a", "a"),
        ("n is not null", "not n is null"),
        ("n between 1 and 5", "n >= 1 and 5 >= n"),
        ("n not between 1 and 5", "n < 1 or n > 5"),
        ("ratio between n and price", "ratio >= n and ratio <= price"),
        ("n in (2, 1, 2)", "n in (1, 2)"),
        ("n in (1, 2)", "n = 1 or n = 2"),
        ("n in (1)", "n = 1"),
        ("n not in (1, 2)", "n <> 1 and n <> 2"),
        ("name in ('x', 'y')", "name in ('y', 'x')"),
        ("case when a then n end", "case when a then n else null end"),
        ("case n when 1 then m else 0 end", "case when 1 = n then m else 0 end"),
        ("coalesce(n, coalesce(m, 1))", "coalesce(coalesce(n, m), 1)"),
        ("coalesce(ratio, coalesce(n, ratio * 2))", "coalesce(ratio, n, ratio * 2)"),
        ("nullif(n, 0)", "nullif(n, 0.0)"),
        ("n / m", "n / nullif(m, 0)"),
        ("n / m", "cast(n as double) / nullif(m::double, 0)"),
        ("n::double", "cast(n as double precision)"),
        ("date '2024-01-31'", "'2024-01-31'::date"),
        ("timestamp '2024-01-31'", "cast('2024-01-31T00:00:00Z' as timestamp)"),
        ("1e3", "1E3"),
    ],
)
def test_two_spellings_have_one_form(one: str, other: str) -> None:
    assert form(one) == form(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("n - m", "m - n"),
        ("n / m", "m / n"),
        ("n + m + price", "n + (m + price)"),  # the digits of a DOUBLE, the type of a DECIMAL
        ("n * m * price", "n * (m * price)"),
        ("n < 5", "n <= 5"),
        ("n < 5", "5 < n"),
        ("n > 5", "n > 5e0"),  # compared as DOUBLE
        ("price + 1.5", "price + 1.50"),  # another type
        ("n = 9007199254740992.1", "n = 9007199254740992.10"),  # not surely the same DOUBLE
        ("a and b", "a or b"),
        ("a and b or c", "a and (b or c)"),
        ("not a and b", "not (a and b)"),
        ("a is true", "a"),  # NULL
        ("not a", "a is not true"),
        ("n in (1, null)", "n in (1)"),
        ("n between m and ratio", "n >= m and n <= ratio"),  # the first compares n and m as DOUBLE
        ("n in (m, ratio)", "n = m or n = ratio"),
        ("coalesce(n, coalesce(m, price), ratio)", "coalesce(n, m, price, ratio)"),  # by way of DECIMAL
        ("coalesce(n, m)", "coalesce(m, n)"),
        ("nullif(n, m)", "nullif(m, n)"),
        ("n / m", "n / nullif(m, 1)"),
        ("case when a then n when b then m end", "case when b then m when a then n end"),
        ("case when a then n else 0 end", "case when a then n end"),
        ("name = 'x'", "name = 'X'"),
        ("name in ('a', 'b')", "name in ('a,b')"),
        ("""name = '"],["text","x' """, "name = 'x'"),
        ("name = 'n'", "name = name"),
    ],
)
def test_what_can_differ_has_another_form(one: str, other: str) -> None:
    assert form(one) != form(other)


def test_without_types_only_what_never_depends_on_them_is_the_same() -> None:
    assert canonical(parse("n between 1 and 5")) == canonical(parse("n >= 1 and n <= 5"))
    assert canonical(parse("n between m and k")) != canonical(parse("n >= m and n <= k"))
    assert canonical(parse("coalesce(n, coalesce(m, k))")) != canonical(parse("coalesce(n, m, k)"))


def test_no_expression_is_no_text() -> None:
    assert canonical(None) == ""
