"""What is counted and compared of a view's table when it is watched, as conditions on its rows and as queries.

A view *knows something* of an entity while one of its features is not at its empty value: of such entities there is a
key online, and they are those that are watched. A feature *should have a value* where something happened in its
window: what other features of the view say of that is believed, so that NULL for an empty window is no fault.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlglot import exp

from fsync.language.canonical import canonical
from fsync.language.transformations.count import COUNT
from fsync.language.types import UUID
from fsync.plan import Planned, View
from fsync.spec.feature import Call
from fsync.spec.source import Column
from fsync.sql.empty import empty_literal, empty_values
from fsync.sql.engines import duckdb
from fsync.sql.instants import epoch_ms, timestamp

_DOUBLE: Final = exp.DataType.build("double")
_VARCHAR: Final = exp.DataType.build("varchar")

#: how values are compared: as numbers, as one of several texts, or by their age
Kind = Literal["number", "category", "age"]

#: what stands before the flags of rows, the instants that they are of and what is known of them; no feature's name has
#: a space
FLAG: Final = "is "


def kind_of(planned: Planned) -> Kind:
    """How the values of a feature are compared."""
    if planned.type.is_number:
        return "number"
    return "age" if planned.type.name in ("date", "timestamp") else "category"


def is_comparable(planned: Planned) -> bool:
    """Whether a feature has a baseline to compare with: labels are of many instants, at which ages are not the same."""
    return planned.monitors.drift_baseline.service is None or kind_of(planned) != "age"


def compared_among(view: View, planned: Planned) -> exp.Expr | None:
    """Which values of a feature are compared, as a condition on it; None for all.

    A training set has labels of entities that nothing was known of: only what is not empty can be compared with it.
    """
    return None if planned.monitors.drift_baseline.service is None else _is_not_empty(view, planned)


def knows_something(view: View) -> exp.Expr:
    """That a row has a feature which is not at its empty value."""
    # what is derived is at its empty value while all that it is made of is
    made = [planned for planned in view.features if planned.call is not None]
    return _any_is_not_empty(view, made)


def should_have_value(view: View, planned: Planned) -> exp.Expr | None:
    """That something happened in a feature's window, as far as the view's features tell: a condition on rows.

    None where nothing is to be watched: for a feature that is never NULL, and where no other feature tells.
    """
    told = _told_by_others(view, planned)
    if told is None or isinstance(told, exp.Boolean):
        return told
    return exp.or_(told, _is_not_empty(view, planned), copy=False)


def _told_by_others(view: View, planned: Planned) -> exp.Expr | None:
    """The same without the feature's own value, so that features have it in common."""
    if planned.is_never_null:
        return None
    if planned.call is None:
        # it is made of values: where they all are there, it should be too
        parts = [_is_not_empty(view, one) for one in view.made_of(planned)]
        return exp.and_(*parts, copy=False) if parts else None
    if planned.call.window is None and planned.feature.where is None:
        return exp.true()  # an entity has a row since something happened
    tell = [one for one in view.features if one is not planned and _tells(one, planned)]
    return _any_is_not_empty(view, tell) if tell else None


def _tells(one: Planned, other: Planned) -> bool:
    """Whether a value of one feature means that something happened in the window of another."""
    if one.call is None or one.default is not None or other.call is None:
        return False
    return _is_within(one.call, other.call) and (other.feature.where is None or _condition(one) == _condition(other))


def _any_is_not_empty(view: View, features: Sequence[Planned]) -> exp.Expr:
    """That one of several features is not at its empty value.

    A count of events tells of every feature with a window that is not longer, so that these need not be asked.
    """
    counts = [one for one in features if one.call is not None and _counts_what_others_read(one, features)]
    longest = max(counts, key=lambda one: _length(one.call), default=None)
    asked = (
        features
        if longest is None
        else [one for one in features if one is longest or _length(one.call) > _length(longest.call)]
    )
    return exp.or_(*(_is_not_empty(view, one) for one in asked), copy=False)


def _counts_what_others_read(one: Planned, others: Sequence[Planned]) -> bool:
    """Whether a feature counts events, and all that the others read are among them."""
    if one.call is None or one.call.transformation is not COUNT or one.call.column is not None:
        return False
    return one.feature.where is None or all(_condition(other) == _condition(one) for other in others)


def _length(call: Call | None) -> float:
    return math.inf if call is None or call.window is None else call.window.milliseconds


def _is_within(one: Call, other: Call) -> bool:
    return _length(one) <= _length(other)


def _condition(planned: Planned) -> str:
    where = planned.feature.where
    return "" if where is None else canonical(where.node)


def _is_not_empty(view: View, planned: Planned) -> exp.Expr:
    column = exp.column(planned.name)
    empty = next(value for one, value in zip(view.features, empty_values(view), strict=True) if one is planned)
    if empty is None:
        return exp.Not(this=exp.Is(this=column, expression=exp.null()))
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
        return exp.Cast(this=column, to=_DOUBLE.copy())
    if kind == "category":
        return exp.Cast(this=column, to=_VARCHAR.copy())
    milliseconds = epoch_ms(exp.cast(at, "timestamp")) - epoch_ms(exp.cast(column, "timestamp"))
    return exp.paren(milliseconds) / exp.Literal.number("1000.0")


def _compared(view: View, planned: Planned, at: exp.Expr) -> exp.Expr:
    among, value = compared_among(view, planned), compared(planned, at)
    return value if among is None else exp.Case(ifs=[exp.If(this=among, true=value)])


def holds(at: exp.Expr) -> exp.Expr:
    """That a row holds at an instant."""
    return exp.and_(
        exp.LT(this=exp.column("valid_from"), expression=at),
        exp.GTE(this=exp.column("valid_to"), expression=at.copy()),
        copy=False,
    )


# ---------------------------------------------------------------- queries of a watch


@dataclass(frozen=True)
class CountsQuery:
    """A query of how many entities there are, in groups: of each the conditions that are true of it, how many entities
    it has, and how many of them have a value of each of the features.

    The first condition is that something is known of the entity. `features` are (name, which of the conditions says
    that there should be a value where there is none).
    """

    sql: str
    conditions: int
    features: tuple[tuple[str, int], ...]

    def entities(self, rows: Sequence[tuple[Any, ...]]) -> int:
        """How many entities something is known of, of the query's rows."""
        return sum(row[self.conditions] for row in rows if row[0])

    def counted(self, rows: Sequence[tuple[Any, ...]]) -> Iterator[tuple[str, int, int]]:
        """Of each feature how many entities should have a value, and how many of those have none."""
        for number, (name, condition) in enumerate(self.features, self.conditions + 1):
            missing = sum(row[self.conditions] - row[number] for row in rows if row[condition])
            yield name, missing + sum(row[number] for row in rows), missing


def counts_query(view: View, table: str, at: int | None) -> CountsQuery:
    """How many entities the view knows something of, and of each feature that can be told of how many have a value.

    Args:
        table: the view's table, quoted; or one of what is served, that has a row an entity.
        at: the instant, in epoch milliseconds; None for what is served.
    """
    told = {
        planned.name: condition
        for planned in view.features
        if planned.monitors.null_ratio is not None and (condition := _told_by_others(view, planned)) is not None
        # an entity that has no event in any window has no key, so that what is served cannot tell of it
        if at is not None or not isinstance(condition, exp.Boolean) or _has_lifetime_count(view)
    }
    places = {
        condition: number for number, condition in enumerate(dict.fromkeys([knows_something(view), *told.values()]))
    }
    flags = [exp.alias_(condition, f"{FLAG}{number}", quoted=True) for condition, number in places.items()]
    counts = [exp.Count(this=exp.Star()), *(exp.Count(this=exp.column(name)) for name in told)]
    query = exp.select(*flags, *counts, copy=False).from_(table, dialect="duckdb")
    if at is not None:
        query = query.where(holds(timestamp(at)), copy=False)
    query = query.group_by(*(exp.Literal.number(number + 1) for number in range(len(flags))), copy=False)
    return CountsQuery(rendered(query), len(flags), tuple((name, places[one]) for name, one in told.items()))


def _has_lifetime_count(view: View) -> bool:
    """Whether of every entity with an event something is known for good."""
    return any(
        one.call is not None and one.call.window is None and one.feature.where is None and one.is_never_null
        for one in view.features
        if one.call is not None and one.call.transformation is COUNT and one.call.column is None
    )


def sample_query(view: View, table: str, instants: Sequence[int], one_in: int, features: Sequence[Planned]) -> str:
    """A query of the rows of one in so many entities, always the same ones, that hold at one of several instants.

    Columns: the entity's, `FLAG` and the number of each instant, and the features' as `columns_of` has them.
    """
    flags = [exp.alias_(holds(timestamp(at)), f"{FLAG}{number}", quoted=True) for number, at in enumerate(instants)]
    keys = [exp.column(column.name) for column in view.entity]
    at_any = exp.or_(*(holds(timestamp(at)) for at in instants), copy=False)
    query = (
        exp.select(*(_key(column) for column in view.entity), *flags, *_values(view, features, instants), copy=False)
        .from_(table, dialect="duckdb")
        .where(at_any, knows_something(view), copy=False)
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
    query = exp.select(*_values(view, features, [at])).from_(relation, dialect="duckdb")
    return rendered(query.where(knows_something(view)))


def training_query(view: View, relation: str, features: Sequence[Planned], most: int) -> str:
    """A query of at most so many rows of a training set, always the same ones; columns are called as features are.

    Args:
        relation: where it is, as SQL.
        features: without those that are compared by their ages.
    """
    values = [exp.alias_(_compared(view, planned, exp.null()), planned.name) for planned in features]
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
    return f"{planned.name} {number}" if kind_of(planned) == "age" else planned.name


def rendered(query: exp.Expr) -> str:
    """A query in DuckDB's SQL."""
    return duckdb.render(query, pretty=False, copy=False)


def _values(view: View, features: Sequence[Planned], instants: Sequence[int]) -> list[exp.Expr]:
    columns = {
        columns_of(planned, number): _compared(view, planned, timestamp(at))
        for planned in features
        # only ages hang on the instant
        for number, at in enumerate(instants if kind_of(planned) == "age" else instants[:1])
    }
    return [exp.alias_(value, name, quoted=" " in name, copy=False) for name, value in columns.items()]


def _key(column: Column) -> exp.Expr:
    # a UUID as a text, as keys have it
    key = exp.column(column.name)
    return exp.alias_(exp.cast(key, "varchar"), column.name) if column.type == UUID else key
