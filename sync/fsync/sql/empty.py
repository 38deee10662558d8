"""The empty values of a view: what its features are for an entity without any event."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from fsync.errors import InputError, one_line
from fsync.language.types import DOUBLE, SqlType
from fsync.plan import Planned, View
from fsync.sql.engines import duckdb as engine
from fsync.sql.logical import cast, logical
from fsync.sql.validity import derived

if TYPE_CHECKING:
    import duckdb

#: a value as Python holds it: int, Decimal, float, str, bool, date, datetime or None
Value = Any


@lru_cache(maxsize=1_024)
def empty_values(view: View) -> tuple[Value, ...]:
    """The empty value of each feature, in the order of the view's features. Of the last views they are kept.

    What is 0 or NULL is known; a default is cast, and a derived feature computed, by the engine, from the expression
    that its table has.
    """
    known = {p.name: _nothing(p) for p in view.features if p.derived is None and p.default is None}
    asked = [planned for planned in view.features if planned.name not in known]
    if asked:
        known |= zip((planned.name for planned in asked), _computed(asked, view), strict=True)
    return tuple(known[planned.name] for planned in view.features)


def empty_literal(value: Value, kind: SqlType) -> exp.Expr:
    """An empty value as SQL, with its type even where it is NULL."""
    if value is None:
        return cast(exp.null(), kind)
    text = format(value, "f") if isinstance(value, Decimal) else str(value)
    return cast(exp.Literal.string(text), kind)


def all_empty(view: View, values: Sequence[Value]) -> exp.Expr:
    """The condition that every feature of a row of a view's table has its empty value, of which these are all."""
    return exp.and_(
        *(
            exp.NullSafeEQ(
                this=exp.column(planned.name),
                expression=exp.null() if value is None else empty_literal(value, planned.type),
            )
            for planned, value in zip(view.features, values, strict=True)
        )
    )


def _nothing(planned: Planned) -> Value:
    if not planned.is_never_null:
        return None
    if planned.type.scale is not None:
        return Decimal(0).scaleb(-planned.type.scale)
    return 0.0 if planned.type == DOUBLE else 0


def _computed(asked: Sequence[Planned], view: View) -> tuple[Value, ...]:
    read = {column.name for p in asked if p.derived is not None for column in p.derived.find_all(exp.Column)}
    windows = [p for p in view.features if p.derived is None and (p.default is not None or p.name in read)]
    nothing = exp.select(*(exp.alias_(cast(_constant(p), p.type), p.name, copy=False) for p in windows), copy=False)
    values = (exp.column(p.name) if p.derived is None else derived(p) for p in asked)
    query = exp.select(*values, copy=False).from_(nothing.subquery("nothing", copy=False), copy=False)
    import duckdb  # the engine itself, needed by this module alone

    with _engine().cursor() as cursor:
        try:
            (row,) = cursor.execute(engine.render(query, pretty=False, copy=False)).fetchall()
        except duckdb.Error as error:  # a default that is too large for what is derived from it
            raise InputError(f"the empty values of {view.name} cannot be computed: {one_line(error)}") from error
    return tuple(row)


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    """An engine without data, one for all views: starting it takes longer than all that it computes."""
    import duckdb

    connection = duckdb.connect(":memory:", config={"threads": 1})
    connection.execute("pragma disable_optimizer")  # of one row of constants there is nothing to make faster
    return connection


def _constant(planned: Planned) -> exp.Expr:
    if planned.default is not None:
        return logical(planned.default)
    return exp.Literal.number(0) if planned.is_never_null else exp.null()
