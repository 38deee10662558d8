"""The empty values of a view: what its features are for an entity without any event."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from fsync.errors import InputError, one_line
from fsync.plan import Planned, View
from fsync.sql.engines import duckdb as engine
from fsync.sql.logical import cast, logical
from fsync.sql.validity import derived

if TYPE_CHECKING:
    import duckdb

#: a value as Python holds it: int, Decimal, float, str, bool, date, datetime or None
Value = Any


def empty_values(view: View) -> tuple[Value, ...]:
    """The empty value of each feature, in the order of the view's features.

    A derived feature's is computed from those it reads, by the engine, from the same expression.
    """
    windows = [planned for planned in view.features if planned.derived is None]
    nothing = exp.select(*(exp.alias_(cast(_nothing(p), p.type), p.name, copy=False) for p in windows), copy=False)
    values = (exp.column(p.name) if p.derived is None else derived(p) for p in view.features)
    query = exp.select(*values, copy=False).from_(nothing.subquery("nothing", copy=False), copy=False)
    import duckdb  # the engine itself, needed by this module alone

    with _engine().cursor() as cursor:
        try:
            (row,) = cursor.execute(engine.render(query, pretty=False)).fetchall()
        except duckdb.Error as error:  # a default that is too large for what is derived from it
            raise InputError(f"the empty values of {view.name} cannot be computed: {one_line(error)}") from error
    return tuple(row)


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    """An engine without data, one for all views: starting it takes longer than all that it computes."""
    import duckdb

    return duckdb.connect(":memory:", config={"threads": 1})


def _nothing(planned: Planned) -> exp.Expr:
    if planned.default is not None:
        return logical(planned.default)
    return exp.Literal.number(0) if planned.is_never_null else exp.null()
