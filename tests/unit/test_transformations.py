"""Every transformation is what its file says: its example, its types, its empty window, its portable tree."""

from __future__ import annotations

import importlib
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from sqlglot import exp

from fsync.language.transformations import FORMS, TRANSFORMATIONS, Transformation
from fsync.language.transformations.base import Operands
from fsync.language.types import parse_type
from fsync.sql import macros
from fsync.sql.engines import ENGINES
from fsync.sql.engines import duckdb as engine
from fsync.sql.logical import PLACEHOLDERS

#: stock nodes with one meaning on every engine
PORTABLE = (
    *(exp.Window, exp.Count, exp.Distinct, exp.Sum, exp.Min, exp.Max, exp.StddevSamp),
    *(exp.Coalesce, exp.Cast, exp.Div, exp.Nullif),
    *(exp.Literal, exp.Var, exp.Column, exp.Identifier, exp.DataType),
)


def _tree(transformation: Transformation) -> exp.Expr:
    column, frame, number = exp.column("value"), exp.to_identifier("frame"), exp.column("number")
    written = transformation.example.written.split(", ")
    fraction = exp.Literal.number(written[1]) if transformation.takes_fraction else exp.null()
    return transformation.build(Operands(column, frame, number, fraction))


def _run(transformation: Transformation, values: tuple[Any, ...]) -> tuple[Any, str]:
    """The value after the last of some events, one second apart, and its type."""
    tree = engine.render(_tree(transformation), pretty=False)
    rows = ", ".join(["(?, ?)"] * len(values))
    with duckdb.connect() as connection:
        query = (
            f"select {tree} as found, typeof(found) from (select number, cast(value as {transformation.example.type}) "
            f"as value from (values {rows}) as given(number, value)) "
            "window frame as (order by number range between unbounded preceding and current row) "
            "order by number desc limit 1"
        )
        parameters = [part for number, value in enumerate(values) for part in (number, value)]
        ((found, kind),) = connection.execute(query, parameters).fetchall()
    return found, kind


@pytest.mark.parametrize("transformation", TRANSFORMATIONS, ids=lambda transformation: transformation.name)
def test_the_example_gives_what_it_says(transformation: Transformation) -> None:
    example = transformation.example
    assert example.written.split("(")[0] in FORMS
    column = parse_type(example.type)
    assert column is not None
    found, kind = _run(transformation, example.given)
    assert found == example.gives
    assert parse_type(kind) == transformation.result_type(column)


@pytest.mark.parametrize("transformation", TRANSFORMATIONS, ids=lambda transformation: transformation.name)
def test_of_nothing_it_is_zero_or_null(transformation: Transformation) -> None:
    found, _ = _run(transformation, (None, None))
    assert found == (0 if transformation.is_zero_when_empty else None)


@pytest.mark.parametrize("transformation", TRANSFORMATIONS, ids=lambda transformation: transformation.name)
def test_its_tree_is_portable(transformation: Transformation) -> None:
    for node in _tree(transformation).walk():
        if isinstance(node, exp.Anonymous):
            assert node.name in PLACEHOLDERS
        else:
            assert isinstance(node, PORTABLE), type(node)
    assert "FSYNC_" not in engine.render(_tree(transformation))


@pytest.mark.parametrize("transformation", TRANSFORMATIONS, ids=lambda transformation: transformation.name)
def test_its_file_says_what_it_is(transformation: Transformation) -> None:
    text = importlib.import_module(f"fsync.language.transformations.{transformation.name}").__doc__ or ""
    for part in ("Input:", "Result:", "NULL:", "    transformation: "):
        assert part in text
    assert all(f"`{form}(" in text for form, _ in transformation.forms)


def test_a_second_engine_is_one_more_module(monkeypatch: pytest.MonkeyPatch) -> None:
    def render(tree: exp.Expr, *, pretty: bool = True) -> str:
        return f"STUB({tree.key})"

    stub = SimpleNamespace(NAME="stub", render=render)
    monkeypatch.setattr(macros, "ENGINES", (*ENGINES, stub))
    files = macros.macro_files()
    assert len(files) == len(FORMS)
    for form in FORMS:
        text = files[f"{form}.sql"]
        assert f"adapter.dispatch('{form}', 'fsync')" in text
        assert f"macro duckdb__{form}(" in text
        assert f"macro stub__{form}(" in text


def test_every_argument_of_a_macro_is_documented() -> None:
    documented = {entry["name"]: [argument["name"] for argument in entry["arguments"]] for entry in macros.macro_docs()}
    for form, text in ((form, macros.macro_files()[f"{form}.sql"]) for form in FORMS):
        head = text.split(f"macro {form}(")[1].split(")")[0]
        assert [part.split("=")[0].strip() for part in head.split(",")] == documented[form]
