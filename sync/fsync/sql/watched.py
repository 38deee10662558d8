"""What is counted and compared of a view's table when it is watched, as conditions on its rows and as queries.

A view *knows something* of an entity while one of its features is not at its empty value: of such entities there is a
key online, and they are those that are watched. A feature *should have a value* where something happened in its
window: what other features of the view say of that is believed, so that NULL for an empty window is no fault.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from sqlglot import exp

from fsync.language.canonical import canonical
from fsync.language.types import UUID
from fsync.plan import Planned, View
from fsync.spec.feature import Call
from fsync.spec.source import Column
from fsync.sql.empty import empty_literal, empty_values
from fsync.sql.engines import duckdb
from fsync.sql.instants import epoch_ms, timestamp

#: how values are compared: as numbers, as one of several texts, or by their age
Kind = Literal["number", "category", "age"]

#: what stands before the flags that say of which instants a row is
FLAG: Final = "holds_"


def kind_of(planned: Planned) -> Kind:
    """How the values of a feature are compared."""
    if planned.type.is_number:
        return "number"
    return "age" if planned.type.name in ("date", "timestamp") else "category"


def knows_something(view: View) -> exp.Expr:
    """That a row has a feature which is not at its empty value."""
    return exp.or_(*(_is_not_empty(view, planned) for planned in view.features))


def should_have_value(view: View, planned: Planned) -> exp.Expr | None:
    """That something happened in a feature's window, as far as the view's features tell: a condition on rows.

    None where nothing is to be watched: for a feature that is never NULL, and where no other feature tells.
    """
    if planned.is_never_null:
        return None
    if planned.call is None:
        # it is made of values: where they all are there, it should be too
        parts = [_is_not_empty(view, one) for one in view.made_of(planned)]
        return exp.and_(*parts) if parts else None
    if planned.call.window is None and planned.feature.where is None:
        return exp.true()  # an entity has a row since something happened
    tell = [_is_not_empty(view, one) for one in view.features if one is not planned and _tells(one, planned)]
    return exp.or_(_is_not_empty(view, planned), *tell) if tell else None


def _tells(one: Planned, other: Planned) -> bool:
    """Whether a value of one feature means that something happened in the window of another."""
    if one.call is None or one.default is not None or other.call is None:
        return False
    return _is_within(one.call, other.call) and (other.feature.where is None or _condition(one) == _condition(other))


def _is_within(one: Call, other: Call) -> bool:
    return other.window is None or (one.window is not None and one.window <= other.window)


def _condition(planned: Planned) -> str:
    where = planned.feature.where
    return "" if where is None else canonical(where.node)


def _is_not_empty(view: View, planned: Planned) -> exp.Expr:
    column = exp.column(planned.name)
    empties = dict(zip((one.name for one in view.features), empty_values(view), strict=True))
    empty = empties[planned.name]
    if empty is None:
        return column.is_(exp.null()).not_()
    is_zero = planned.type.is_number and not empty
    literal = exp.Literal.number(0) if is_zero else empty_literal(empty, planned.type)
    # what is never NULL can be compared in the plain way
    differs = exp.NEQ if planned.is_never_null else exp.NullSafeNEQ
    return differs(this=column, expression=literal)


def compared(planned: Planned, at: exp.Expr) -> exp.Expr:
    """A feature's value as it is compared: DOUBLE for numbers and ages (in seconds, at an instant), else VARCHAR."""
    column = exp.column(planned.name)
    kind = kind_of(planned)
    if kind == "number":
        return exp.cast(column, "double")
    if kind == "category":
        return exp.cast(column, "varchar")
    milliseconds = epoch_ms(exp.cast(at, "timestamp")) - epoch_ms(exp.cast(column, "timestamp"))
    return exp.paren(milliseconds) / exp.Literal.number("1000.0")


def holds(at: exp.Expr) -> exp.Expr:
    """That a row holds at an instant."""
    return exp.and_(
        exp.LT(this=exp.column("valid_from"), expression=at),
        exp.GTE(this=exp.column("valid_to"), expression=at.copy()),
    )


# ---------------------------------------------------------------- queries of a watch


def counts_query(view: View, table: str, at: int | None) -> tuple[str, tuple[str, ...]]:
    """A query of one row: how many entities the view knows something of, then of each feature that should have
    values how many should have one, and how many of those have none. And the names of these features.

    Args:
        table: the view's table, quoted; or one that has a row an entity, of its features.
        at: the instant, in epoch milliseconds; None for a table without validity.
    """
    counted = [
        (planned.name, condition)
        for planned in view.features
        if planned.monitors.null_ratio is not None and (condition := should_have_value(view, planned)) is not None
    ]
    columns: list[exp.Expr] = [exp.Count(this=exp.Star())]
    for name, condition in counted:
        is_null = exp.column(name).is_(exp.null())
        columns += [_count_if(condition), _count_if(exp.and_(condition.copy(), is_null))]
    query = exp.select(*columns).from_(table, dialect="duckdb").where(knows_something(view))
    return rendered(query if at is None else query.where(holds(timestamp(at)))), tuple(name for name, _ in counted)


def sample_query(view: View, table: str, instants: Sequence[int], one_in: int, features: Sequence[Planned]) -> str:
    """A query of the rows of one in so many entities, always the same ones, that hold at one of several instants.

    Columns: the entity's, `holds_0` and so on for each instant, and the features' as `columns_of` has them.
    """
    flags = [exp.alias_(holds(timestamp(at)), f"{FLAG}{number}") for number, at in enumerate(instants)]
    keys = [exp.column(column.name) for column in view.entity]
    query = (
        exp.select(*(_key(column) for column in view.entity), *flags, *_values(features, instants))
        .from_(table, dialect="duckdb")
        .where(exp.or_(*(holds(timestamp(at)) for at in instants)), knows_something(view))
    )
    if one_in > 1:
        hashed = exp.Anonymous(this="hash", expressions=keys)
        query = query.where(exp.Mod(this=hashed, expression=exp.Literal.number(one_in)).eq(0))
    return rendered(query)


def values_query(view: View, relation: str, at: int, features: Sequence[Planned]) -> str:
    """A query of the values of features, of the entities that something is known of; columns as `columns_of` has them.

    Args:
        relation: what has a row an entity, of its features.
    """
    query = exp.select(*_values(features, [at])).from_(relation, dialect="duckdb")
    return rendered(query.where(knows_something(view)))


def training_query(relation: str, features: Sequence[Planned], most: int) -> str:
    """A query of at most so many rows of a training set, always the same ones; columns are called as features are.

    Args:
        relation: where it is, as SQL.
        features: without those that are compared by their ages.
    """
    values = [exp.alias_(compared(planned, exp.null()), planned.name) for planned in features]
    query = exp.select(*values).from_(exp.maybe_parse(relation, into=exp.Table, dialect="duckdb"))
    return f"{rendered(query)} using sample reservoir({most} rows) repeatable (0)"


def some_entities(view: View, table: str, most: int) -> str:
    """A query of at most so many entities that a view's table has rows of, as texts: others each time."""
    keys = [exp.cast(exp.column(column.name), "varchar") for column in view.entity]
    query = exp.select(*keys).from_(table, dialect="duckdb")
    return f"select distinct * from ({rendered(query)} using sample {most} rows)"


def rows_of_entities(view: View, table: str, entities: str, at: int) -> str:
    """A query of the rows that hold at an instant for entities: the number of each, then the features.

    Args:
        entities: a table of (number, part_0, part_1, …): an entity's columns as texts.
    """
    same = [
        exp.EQ(
            this=exp.column(column.name, table="held"),
            expression=exp.cast(exp.column(f"part_{number}", table="asked"), str(column.type)),
        )
        for number, column in enumerate(view.entity)
    ]
    query = (
        exp.select(exp.column("number", table="asked"), *(exp.column(one.name, table="held") for one in view.features))
        .from_(exp.alias_(exp.to_table(entities), "asked", table=True))
        .join(exp.alias_(exp.to_table(table, dialect="duckdb"), "held", table=True), on=exp.and_(*same))
        .where(holds(timestamp(at)))
    )
    return rendered(query)


def columns_of(planned: Planned, number: int) -> str:
    """The column of `sample_query` that has a feature's values as of one of its instants, by the number of that."""
    return f"{planned.name}__{number}" if kind_of(planned) == "age" else planned.name


def rendered(query: exp.Expr) -> str:
    """A query in DuckDB's SQL."""
    return duckdb.render(query)


def _values(features: Sequence[Planned], instants: Sequence[int]) -> list[exp.Expr]:
    columns = {
        columns_of(planned, number): compared(planned, timestamp(at))
        for planned in features
        for number, at in enumerate(instants)
    }
    return [exp.alias_(value, name) for name, value in columns.items()]


def _key(column: Column) -> exp.Expr:
    # a UUID as a text, as keys have it
    key = exp.column(column.name)
    return exp.alias_(exp.cast(key, "varchar"), column.name) if column.type == UUID else key


def _count_if(condition: exp.Expr) -> exp.Expr:
    return exp.Filter(this=exp.Count(this=exp.Star()), expression=exp.Where(this=condition))
