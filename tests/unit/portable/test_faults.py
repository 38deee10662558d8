"""What is outside the portable language is told at its place, with the nearest portable form."""

from __future__ import annotations

import pytest

from fsync.language.expression import Fault, parse
from fsync.language.portable import infer
from tests.unit.portable.conftest import COLUMNS


def _faults(text: str) -> tuple[Fault, ...]:
    return infer(parse(text), text, COLUMNS, "the source")[1]


@pytest.mark.parametrize(
    "text",
    [
        "name + 1",
        "n and flag",
        "day < seen",
        "name = 1",
        "not n",
        "upper(n)",
        "case when n then 1 end",
        "coalesce(name, 1)",
        "date '2024-02-30'",
        "unknown",
        "t.n",
        "random()",
        "interval 1 day",
        "n[1]",
        "(select 1)",
        "sum(n) over ()",
        "?",
        "*",
        "ratio % 2",
        "wide % cast(share as decimal(38, 30))",
        "id < id",
        "greatest(id, id)",
        "name || n",
        "length(n)",
        "name like name",
        "extract(year from name)",
        "date_diff('day', day, name)",
        "coalesce(wide, cast(n as decimal(38, 0)))",
        "cast(n as decimal(39, 0))",
        "cast(n as decimal(3, 4))",
        "sqrt(name)",
        "round(ratio)",
        "round(price, n)",
        "round(price, -1)",
    ],
)
def test_what_has_none_is_a_fault_inside_the_text(text: str) -> None:
    faults = _faults(text)
    assert faults
    assert all(0 <= fault.start < fault.end <= len(text) for fault in faults)


@pytest.mark.parametrize(
    ("text", "place", "hint"),
    [
        ("length(concat(name, 'b')) + 1", "concat(name, 'b')", "a || b"),
        ("1 + ifnull(n, 0)", "ifnull(n, 0)", "coalesce(a, b)"),
        ("nvl(n, 0)", "nvl(n, 0)", "coalesce(a, b)"),
        ("abs(if(flag, 1, n))", "if(flag, 1, n)", "case when"),
        ("iif(flag, 1, 2)", "iif(flag, 1, 2)", "case when"),
        ("n + mod(n, 2)", "mod(n, 2)", "a % b"),
        ("1 + (n // 2)", "n // 2", "cast(floor(a / b) as bigint)"),
        ("1 + year(day)", "year(day)", "extract(year from t)"),
        ("date_part('year', day)", "date_part('year', day)", "extract(year from t)"),
        ("'x' || substr(name, 1, 2)", "substr(name, 1, 2)", "substring(a, 1, 3)"),
        ("seen < now()", "now()", "not of the clock"),
        ("day = current_date", "current_date", "not of the clock"),
        ("random() < 0.5", "random()", "not of chance"),
        ("n / median(n)", "median(n)", "aggregates are transformations"),
        ("max(n) + 1", "max(n)", "window_max(column, 30d)"),
        ("sum(n) over () + 1", "sum(n) over ()", "aggregates are transformations"),
        ("any_value(n) + 1", "any_value(n)", "aggregates are transformations"),
        ("approx_count_distinct(n)", "approx_count_distinct(n)", "aggregates are transformations"),
        ("flag and regexp_matches(name, 'x)')", "regexp_matches(name, 'x)')", "like 'x%'"),
        ("flag and name ilike 'a%'", "name ilike 'a%'", "lower(a) like"),
        ("name like 'a!%' escape '!'", "name like 'a!%' escape '!'", "contains(a, '%')"),
        (r"name like 'a\%'", r"'a\%'", "contains(a, '%')"),
        ("cast(name as bigint) + 1", "cast(name as bigint)", "staging model"),
        ("1 + name::double", "name::double", "staging model"),
        ("cast(price as bigint)", "cast(price as bigint)", "cast(floor(a) as bigint)"),
        ("cast(price as int)", "cast(price as int)", "as bigint"),
        ("(n + 1)::float", "(n + 1)::float", "as double"),
        ("cast(ratio as varchar)", "cast(ratio as varchar)", "floor"),
        ("cast(ratio as decimal(10, 2))", "cast(ratio as decimal(10, 2))", "floor(a * 100 + 0.5)"),
        ("cast(share as varchar)", "cast(share as varchar)", "decimal(3, 2)"),
        ("cast(price as decimal)", "cast(price as decimal)", "decimal(18, 3)"),
        ("cast(cast(price as decimal(5, 2)) as decimal)", "cast(cast(price as decimal(5, 2)) as decimal)", "(18, 3)"),
        ("cast(name as varchar(3))", "cast(name as varchar(3))", "substring"),
        ("cast(name::varchar as decimal(10, 2))", "cast(name::varchar as decimal(10, 2))", "staging model"),
        ("cast(ratio::varchar as varchar)", "ratio::varchar", "floor"),
        ("try_cast(n as double)", "try_cast(n as double)", "staging model"),
        ("seen > timestamptz '2024-01-31'", "timestamptz '2024-01-31'", "UTC"),
        ("round(ratio, 2)", "round(ratio, 2)", "floor(a * 100 + 0.5) / 100"),
        ("floor(ratio, 2)", "floor(ratio, 2)", "floor(a * 100) / 100"),
        ("substring(name, 0, 2)", "0", "substring(a, 1, 3)"),
        ("substring(name, 2)", "substring(name, 2)", "substring(a, 1, 3)"),
        ("1 + extract(week from day)", "extract(week from day)", "extract(day from t)"),
        ("date_trunc('century', day)", "date_trunc('century', day)", "date_trunc('second', …)"),
        ("date_trunc(name, day)", "date_trunc(name, day)", "date_trunc('second', …)"),
        ("datediff('day', day, day)", "datediff('day', day, day)", "date_diff('day', a, b)"),
        ("n ^ 2", "n ^ 2", "power(a, b)"),
        ("substrin(name, 1, 2)", "substrin(name, 1, 2)", "did you mean 'substring'?"),
        ("reverse(name)", "reverse(name)", "staging model"),
        ("trim(name, 'x') || 'y'", "trim(name, 'x')", ""),
        ("date_trunc('day', seen, 'UTC')", "date_trunc('day', seen, 'UTC')", ""),
    ],
)
def test_the_nearest_portable_form_is_told(text: str, place: str, hint: str) -> None:
    (fault,) = _faults(text)
    assert (fault.code, text[fault.start : fault.end]) == ("not-portable", place)
    assert hint in " ".join(fault.notes)


@pytest.mark.parametrize(
    ("text", "place", "hint"),
    [
        ("seen - day > 1", "seen", "date_diff('day', a, b)"),
        ("ratio % 2", "ratio", "floor(a / b)"),
        ("day < seen", "seen", "cast(a as timestamp)"),
        ("id = 'x'", "'x'", "cast(a as varchar)"),
        ("name || n", "n", "cast(a as varchar)"),
        ("id < id", "id < id", "cast(a as varchar)"),
        ("coalesce(wide, rate, 1e0 > 2)", "1e0 > 2", ""),
        ("coalesce(wide, cast(n as decimal(38, 0)))", "cast(n as decimal(38, 0))", "cast(a as decimal(38,6))"),
    ],
)
def test_an_operand_of_the_wrong_type_is_told(text: str, place: str, hint: str) -> None:
    fault = _faults(text)[0]
    assert (fault.code, text[fault.start : fault.end]) == ("type-mismatch", place)
    assert hint in " ".join(fault.notes)
