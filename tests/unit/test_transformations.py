"""Every transformation, held against what it says of itself: its example, its type, its empty value, its words."""

from __future__ import annotations

import inspect
import pkgutil
import sys
from types import ModuleType
from typing import Any, Final

import duckdb
import jinja2
import pytest
from sqlglot import exp

from fsync.check.names import EVENT_NUMBER
from fsync.language import transformations
from fsync.language.transformations import FORMS, TRANSFORMATIONS, Transformation
from fsync.language.types import BIGINT, BOOLEAN, DATE, DOUBLE, TIMESTAMP, UUID, VARCHAR, SqlType, decimal, parse_type
from fsync.spec.transformation import read_transformation
from fsync.sql import macros
from fsync.sql.engines import ENGINES
from fsync.sql.engines import duckdb as engine
from fsync.sql.logical import PLACEHOLDERS
from fsync.sql.macros import macro_files, macro_tree

#: what a logical tree is made of: nodes with one meaning on every engine, and place-holders
PORTABLE: Final = frozenset(
    {
        exp.Anonymous,
        exp.Cast,
        exp.Coalesce,
        exp.Count,
        exp.DataType,
        exp.Distinct,
        exp.Div,
        exp.Literal,
        exp.Max,
        exp.Min,
        exp.Nullif,
        exp.StddevSamp,
        exp.Sum,
        exp.Var,
        exp.Window,
    }
)
TYPES: Final = (BOOLEAN, BIGINT, DOUBLE, decimal(10, 2), decimal(38, 0), VARCHAR, DATE, TIMESTAMP, UUID)
VALUES: Final = {
    "boolean": "true",
    "bigint": "-9223372036854775808",
    "double": "0.5",
    "decimal": "1.00",
    "varchar": "é",
    "date": "2024-02-29",
    "timestamp": "2024-02-29 23:59:59.999",
    "uuid": "12345678-1234-5678-1234-567812345678",
}
MODULES: Final = tuple(
    name for _, name, _ in pkgutil.iter_modules(transformations.__path__) if name not in ("base", "__init__")
)
every_form = pytest.mark.parametrize("form", FORMS)


def run(form: str, values: tuple[Any, ...], kind: SqlType, ttl: str | None = None) -> tuple[Any, str]:
    """What a macro gives over events with these values, one second apart, and the type of it.

    The frames are those of a model as of just after the last event; the window is as long as the events last.
    """
    transformation, reach = FORMS[form]
    call = read_transformation(transformation.example.written).call
    assert call is not None
    body = jinja2.Template(engine.render(macro_tree(transformation, reach), pretty=False))
    sql = body.render(column="value", duration="1h", ttl=ttl, order_by=EVENT_NUMBER, fraction=call.fraction)
    with duckdb.connect() as connection:
        connection.execute(
            f"create table changes (changed_at timestamp, value {kind}, {EVENT_NUMBER} bigint);"
            "insert into changes values (timestamp '2024-01-02', null, null)"  # a row without an event: a window ends
        )
        for number, value in enumerate(values):
            connection.execute(
                f"insert into changes values (timestamp '2024-01-01' + to_seconds(?), cast(?::varchar as {kind}), ?)",
                [number, value, number],
            )
        found = connection.execute(
            f"select value, typeof(value) from (select changed_at, {sql} as value from changes "
            "window last_1h as (order by changed_at range between interval 1 hour preceding and current row), "
            "last_1s as (order by changed_at range between interval 1 second preceding and current row), "
            "lifetime as (order by changed_at range between unbounded preceding and current row)) "
            "where changed_at <> '2024-01-02' or ? order by changed_at desc limit 1",
            [not values],
        ).fetchall()
    ((value, type_of_value),) = found
    return value, type_of_value


RUNNING = [form for form, (transformation, reach) in FORMS.items() if transformation.can_run(reach)]


@pytest.mark.parametrize("form", RUNNING)
def test_what_enters_and_leaves_is_what_the_frame_holds(form: str) -> None:
    """Values enter a second apart, two of them at one instant, and leave the window of 2 s at its end."""
    running, framed = (
        jinja2.Template(engine.render(macro_tree(*FORMS[form], leaves=leaves), pretty=False))
        for leaves in (True, False)
    )
    events = [(0, "1.50"), (1, None), (2, "-4"), (2, "0.25"), (3, None), (9, "100")]
    with duckdb.connect() as connection:
        connection.execute("create table changes (s integer, leaves integer, value decimal(9,2), moved decimal(9,2))")
        for s, value in events:
            connection.execute("insert into changes values (?, 0, ?, ?)", [s, value, value])
            connection.execute("insert into changes values (?, 1, null, ?)", [s + 2, value])
        found = connection.execute(
            "select distinct on (s) s, running, framed from (select s, row_number() over timeline as place, "
            f"{running.render(column='moved', duration='2s', leaves=1)} as running, "
            f"{framed.render(column='value', duration='2s')} as framed from changes window "
            "timeline as (order by s rows between unbounded preceding and current row), "
            "last_2s as (order by s range between 1 preceding and current row)) order by s, place desc"
        ).fetchall()
    assert [s for s, *_ in found] == [0, 1, 2, 3, 4, 5, 9, 11]
    assert [running for _, running, _ in found] == [framed for _, _, framed in found]


def declared(kind: SqlType) -> str:
    """A type as DuckDB's `typeof` spells it."""
    return str(kind).upper()


@every_form
def test_the_example_is_true(form: str) -> None:
    transformation, _ = FORMS[form]
    example = transformation.example
    kind = parse_type(example.type)
    assert kind is not None
    value, type_of_value = run(form, example.given, kind)
    result = transformation.result_type(kind)
    assert result is not None, "the example's type fits"
    assert (value, type(value)) == (example.gives, type(example.gives))
    assert type_of_value.replace(" ", "") == declared(result)


@every_form
def test_the_type_is_the_one_it_says_for_every_column(form: str) -> None:
    """But for what a model casts: a DECIMAL's sum, which engines widen differently, and never narrow."""
    transformation, _ = FORMS[form]
    taken = [kind for kind in TYPES if transformation.result_type(kind) is not None]
    assert taken
    for kind in taken:
        value, type_of_value = run(form, (VALUES[kind.name], VALUES[kind.name]), kind)
        wanted, found = transformation.result_type(kind), parse_type(type_of_value)
        assert wanted is not None
        assert found == wanted or type_of_value == "HUGEINT", f"{form} of {kind} is {type_of_value}, not {wanted}"
        assert value is not None


@every_form
@pytest.mark.parametrize("values", [(), (None,), (None, None)], ids=["nothing", "a NULL", "two NULLs"])
def test_the_empty_window_is_zero_or_null(form: str, values: tuple[None, ...]) -> None:
    transformation, _ = FORMS[form]
    kind = parse_type(transformation.example.type)
    assert kind is not None
    value, _ = run(form, values, kind)
    assert value == (0 if transformation.is_zero_when_empty else None)


def test_latest_with_a_ttl_is_over_the_frame_of_the_ttl() -> None:
    assert run("latest", (3, 5, None), BIGINT, ttl="1h") == (5, "BIGINT")
    assert run("latest", (3, 5, None), BIGINT, ttl="1s") == (5, "BIGINT")
    assert run("latest", (3, None, None), BIGINT, ttl="1s") == (None, "BIGINT")
    assert run("latest", (3, None, None), BIGINT) == (3, "BIGINT")


@pytest.mark.parametrize("transformation", TRANSFORMATIONS, ids=lambda t: t.name)
def test_the_example_is_written_as_a_spec_would(transformation: Transformation) -> None:
    read = read_transformation(transformation.example.written)
    assert not read.faults
    assert read.call is not None
    assert read.call.transformation is transformation
    assert any(value is None for value in transformation.example.given), "it shows what happens to NULL"


@pytest.mark.parametrize("name", MODULES)
def test_a_module_says_what_it_does(name: str) -> None:
    module = sys.modules[f"{transformations.__name__}.{name}"]
    text = inspect.getdoc(module) or ""
    (transformation,) = (t for t in TRANSFORMATIONS if t.name == name)
    assert all(f"`{form}(" in text for form, _ in transformation.forms)
    for word in ("Input: ", "Result: ", "NULL"):
        assert word in text
    (example,) = (line for line in text.splitlines() if line.strip().startswith("transformation: "))
    read = read_transformation(example.split(": ", 1)[1])
    assert not read.faults
    assert read.call is not None
    assert read.call.transformation is transformation


def test_every_module_is_in_the_programme() -> None:
    assert sorted(MODULES) == sorted(transformation.name for transformation in TRANSFORMATIONS)
    assert len(FORMS) == sum(len(transformation.forms) for transformation in TRANSFORMATIONS), "forms have one meaning"


@every_form
def test_a_logical_tree_holds_what_every_engine_has(form: str) -> None:
    tree = macro_tree(*FORMS[form])
    assert {type(node) for node in tree.walk()} <= PORTABLE
    assert {node.name for node in tree.find_all(exp.Anonymous)} <= PLACEHOLDERS
    for literal in tree.find_all(exp.Literal):
        assert not literal.is_string


@every_form
@pytest.mark.parametrize("of", ENGINES, ids=lambda of: of.NAME)
def test_an_engine_leaves_no_place_holder(of: ModuleType, form: str) -> None:
    tree = macro_tree(*FORMS[form])
    before = tree.copy()
    assert "FSYNC_" not in of.render(tree, pretty=False).upper()
    assert tree == before, "rendering leaves the tree as it was: the next engine reads it too"


def test_a_second_engine_is_one_module(monkeypatch: pytest.MonkeyPatch) -> None:
    stub = ModuleType("stub")
    stub.NAME = "stub"  # type: ignore[attr-defined]
    stub.render = lambda tree, pretty=True: f"STUB({tree.sql()})"  # type: ignore[attr-defined]
    of_one = macro_files()
    monkeypatch.setattr(macros, "ENGINES", (*ENGINES, stub))
    of_two = macro_files()
    assert of_two.keys() == of_one.keys() == {f"{form}.sql" for form in FORMS}
    for form in FORMS:
        text = of_two[f"{form}.sql"]
        assert text.startswith(of_one[f"{form}.sql"]), "the others stay what they are"
        assert f"adapter.dispatch('{form}', 'fsync')" in text
        assert text.count(f"{{% macro stub__{form}(") == 1
        assert "STUB(" in text
    assert _called(of_two["window_sum.sql"], "stub", "window_sum") == "STUB(COALESCE(SUM(amount) OVER last_30d, 0))"
    assert _called(of_two["window_sum.sql"], "duckdb", "window_sum") == "COALESCE(SUM(amount) OVER last_30d, 0)"


def _called(text: str, of: str, form: str) -> str:
    """What a macro file makes of a call on an adapter, dispatched as dbt does: the adapter's own, else none."""
    environment = jinja2.Environment(extensions=["jinja2.ext.do"])
    returned: list[str] = []

    class Adapter:
        def dispatch(self, name: str, _package: str) -> Any:
            return getattr(module, f"{of}__{name}")

    environment.globals.update(adapter=Adapter(), **{"return": returned.append})
    module = environment.from_string(text).module
    getattr(module, form)("amount", "30d")
    return returned[0].strip()
