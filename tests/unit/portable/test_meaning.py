"""What every form means, in DuckDB: the examples of the table, every unit, NULL, and what does not fit."""

from __future__ import annotations

import math
from datetime import date, datetime
from decimal import Decimal
from typing import Final

import duckdb
import pytest
from sqlglot import exp

from fsync.language.expression import parse
from fsync.language.portable import PORTABLE, infer
from fsync.language.portable.times import COUNTED, PARTS, TRUNCATED
from fsync.sql.engines import duckdb as engine
from fsync.sql.logical import PLACEHOLDERS, logical, rewrite
from tests.unit.portable.conftest import COLUMNS, Evaluate

EXAMPLES: Final = [pytest.param(text, value, id=text) for entry in PORTABLE for text, value in entry.examples]

#: the stock nodes of a logical tree: what a second engine has to print with the meaning that docs/portable-sql.md gives
STOCK: Final = frozenset(
    {
        *(exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.Paren, exp.Cast, exp.DataType),
        *(exp.DataTypeParam, exp.Var),
        *(exp.Add, exp.Sub, exp.Mul, exp.Neg, exp.Abs, exp.Floor, exp.Ceil, exp.Round, exp.Exp, exp.Pow),
        *(exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Between, exp.In, exp.Is),
        *(exp.NullSafeEQ, exp.NullSafeNEQ),
        *(exp.And, exp.Or, exp.Not, exp.Case, exp.If, exp.Coalesce, exp.Nullif, exp.Greatest, exp.Least),
        *(exp.DPipe, exp.Lower, exp.Upper, exp.Trim, exp.Length, exp.Substring, exp.Replace),
        *(exp.StartsWith, exp.EndsWith, exp.Contains, exp.Like, exp.TimestampTrunc),
    }
)


@pytest.mark.parametrize(("text", "value"), EXAMPLES)
def test_an_example_has_its_value(text: str, value: object, evaluate: Evaluate) -> None:
    found, _ = evaluate(text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize("text", [example.values[0] for example in EXAMPLES])
def test_a_logical_tree_means_one_thing(text: str) -> None:
    node = parse(text)
    infer(node, text, COLUMNS, "the source")
    for part in logical(node).walk():
        assert type(part) in STOCK or (isinstance(part, exp.Anonymous) and part.name in PLACEHOLDERS), repr(part)


def test_every_form_has_an_example_and_a_meaning() -> None:
    assert all(entry.examples or exp.Column in entry.nodes for entry in PORTABLE)
    assert all(entry.meaning.endswith(".") for entry in PORTABLE)
    assert len({entry.written for entry in PORTABLE}) == len(PORTABLE)


def test_the_entries_of_one_node_share_its_rule() -> None:
    rules = {(node, entry.rule) for entry in PORTABLE for node in entry.nodes}
    assert len(rules) == len({node for node, _ in rules})


# ---------------------------------------------------------------- over columns

OF_COLUMNS: Final[list[tuple[str, object]]] = [
    ("n + 1", 9007199254740994),
    ("price * price", Decimal("399.6001")),
    ("rate * rate", Decimal("0.00390625")),
    ("price / 2", -9.995),
    ("price % 3", Decimal("-1.99")),
    ("n % price", Decimal("0.32")),
    ("-price", Decimal("19.99")),
    ("abs(price)", Decimal("19.99")),
    ("sign(price)", -1),
    ("floor(price)", Decimal(-20)),
    ("ceil(price)", Decimal(-19)),
    ("floor(n)", 9007199254740993),
    ("round(price, 1)", Decimal("-20.0")),
    ("round(rate, 3)", Decimal("0.063")),
    ("sqrt(ratio * ratio)", 2.5),
    ("ln(exp(ratio))", 2.5),
    ("power(ratio, 2)", 6.25),
    ("price < n", True),
    ("id = id", True),
    ("id in (id)", True),
    ("flag and price < 0", True),
    ("name || '!'", "Ada!"),
    ("lower(name)", "ada"),
    ("trim(' ' || name)", "Ada"),
    ("length(name)", 3),
    ("substring(name, 2, 9)", "da"),
    ("replace(name, 'a', name)", "AdAda"),
    ("starts_with(name, 'A')", True),
    ("ends_with(name, 'da')", True),
    ("contains(name, 'd')", True),
    ("name not like 'A_'", True),
    ("date_trunc('hour', seen)", datetime(2024, 5, 5, 12)),
    ("date_trunc('year', day)", datetime(2024, 1, 1)),
    ("extract(hour from seen)", 12),
    ("date_diff('hour', day, seen)", 12),
    ("cast(price as double)", -19.99),
    ("cast(price as decimal(4, 1))", Decimal("-20.0")),
    ("cast(flag as bigint)", 1),
    ("cast(ceil(price) as bigint)", -19),
    ("cast(price as varchar)", "-19.99"),
    ("cast(wide as varchar)", "1234567.000001"),
    ("cast(cast(share as decimal(3, 2)) as varchar)", "0.25"),
    ("cast(seen as date)", date(2024, 5, 5)),
    ("cast(day as timestamp)", datetime(2024, 5, 5)),
]


@pytest.mark.parametrize(("text", "value"), OF_COLUMNS)
def test_of_columns_it_has_its_value(text: str, value: object, evaluate: Evaluate) -> None:
    assert evaluate(text)[0] == value


@pytest.mark.parametrize("text", [text for text, _ in OF_COLUMNS])
def test_of_null_it_is_null(text: str, evaluate: Evaluate) -> None:
    assert evaluate(text, "nulls")[0] is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("coalesce(n, 7)", 7),
        ("greatest(price, 1)", Decimal("1.00")),
        ("least(name, 'b', name)", "b"),
        ("greatest(day, day)", None),
        ("case when flag then 1 else 2 end", 2),
        ("nullif(name, 'a')", None),
        ("id is distinct from id", False),
        ("price is distinct from 0", True),
        ("n is null and flag is not true", True),
        ("flag or true", True),
        ("flag and false", False),
    ],
)
def test_what_null_means_where_it_is_a_value(text: str, value: object, evaluate: Evaluate) -> None:
    assert evaluate(text, "nulls")[0] == value


def test_a_column_can_be_put_in_the_place_of_another() -> None:
    """As a model does, which reads columns from their source: what was found of the expression stays with it."""
    text = "floor(n) + round(price) * price"
    node = parse(text)
    infer(node, text, COLUMNS, "the source")

    def qualified(part: exp.Expr) -> exp.Expr:
        return exp.column(part.name, table="source") if isinstance(part, exp.Column) and not part.table else part

    before = engine.render(logical(node), pretty=False)
    after = engine.render(logical(rewrite(node, qualified)), pretty=False)
    assert "FLOOR" not in before
    assert "DECIMAL(20, 2)" in before
    assert after.replace("source.", "") == before


# ---------------------------------------------------------------- units

AT: Final = "timestamp '2024-05-05 12:34:56.789'"

STARTS: Final = {
    "year": datetime(2024, 1, 1),
    "quarter": datetime(2024, 4, 1),
    "month": datetime(2024, 5, 1),
    "week": datetime(2024, 4, 29),
    "day": datetime(2024, 5, 5),
    "hour": datetime(2024, 5, 5, 12),
    "minute": datetime(2024, 5, 5, 12, 34),
    "second": datetime(2024, 5, 5, 12, 34, 56),
}
VALUES: Final = {
    "year": 2024,
    "quarter": 2,
    "month": 5,
    "day": 5,
    "hour": 12,
    "minute": 34,
    "second": 56,
    "isodow": 7,
    "doy": 126,
}
#: how many starts of the unit there are from a millisecond before midnight to half a second after it
APART: Final = {"day": 1, "hour": 1, "minute": 1, "second": 1, "millisecond": 501}


def test_every_unit_is_tried() -> None:
    assert (tuple(STARTS), tuple(VALUES), tuple(APART)) == (TRUNCATED, PARTS, COUNTED)


@pytest.mark.parametrize("unit", TRUNCATED)
def test_a_time_is_cut_to_a_unit(unit: str, evaluate: Evaluate) -> None:
    assert evaluate(f"date_trunc('{unit}', {AT})")[0] == STARTS[unit]
    midnight = min(datetime(2024, 5, 5), STARTS[unit])
    assert evaluate(f"date_trunc('{unit.upper()}', date '2024-05-05')")[0] == midnight


@pytest.mark.parametrize("part", PARTS)
def test_a_part_of_a_time(part: str, evaluate: Evaluate) -> None:
    assert evaluate(f"extract({part} from {AT})")[0] == VALUES[part]
    midnight = 0 if part in ("hour", "minute", "second") else VALUES[part]
    assert evaluate(f"extract({part} from date '2024-05-05')")[0] == midnight


@pytest.mark.parametrize("year", [1969, 2024])
@pytest.mark.parametrize("unit", COUNTED)
def test_how_many_units_lie_between(unit: str, year: int, evaluate: Evaluate) -> None:
    before, after = f"timestamp '{year}-05-05 23:59:59.999'", f"timestamp '{year}-05-06 00:00:00.500'"
    assert evaluate(f"date_diff('{unit}', {before}, {after})")[0] == APART[unit]
    assert evaluate(f"date_diff('{unit}', {after}, {before})")[0] == -APART[unit]
    assert evaluate(f"date_diff('{unit}', {after}, {after})")[0] == 0


def test_the_days_of_a_week_begin_on_monday(evaluate: Evaluate) -> None:
    days = [evaluate(f"extract(isodow from date '2024-05-{day:02}')")[0] for day in range(6, 13)]
    assert days == [1, 2, 3, 4, 5, 6, 7]


# ---------------------------------------------------------------- what does not fit


@pytest.mark.parametrize(
    "text",
    [
        "n * n",
        "cast(n as decimal(4, 0))",
        "cast(99.5 as decimal(2, 0))",
        "cast(floor(1e300) as bigint)",
        "cast(wide * 1000000000000000000000000 * 1000000000 as bigint)",
    ],
)
def test_what_does_not_fit_is_an_error(text: str, evaluate: Evaluate) -> None:
    with pytest.raises((duckdb.Error, AssertionError)):
        evaluate(text)


def test_what_does_not_print_in_a_table(evaluate: Evaluate) -> None:
    assert evaluate("trim('\t a\u00a0 ')")[0] == "\t a\u00a0"  # spaces alone
    assert evaluate("length('e\u0301')")[0] == 2  # code points, and not what they look like


def test_a_power_without_a_real_number_is_nan(evaluate: Evaluate) -> None:
    assert math.isnan(evaluate("power(-8, 1e0 / 3)")[0])
