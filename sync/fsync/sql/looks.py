"""The queries of a watch: of a view's table, of what is served, and of training sets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlglot import exp

from fsync.language.types import UUID
from fsync.plan import Planned, View
from fsync.spec.source import Column
from fsync.sql.engines import duckdb
from fsync.sql.events import instant_of
from fsync.sql.instants import epoch_ms, holds, timestamp
from fsync.sql.watched import compared_value, counts_events, kind_of, knows_something, told_by_others

#: what stands before the flags of rows, the instants that they are of and what is known of them; no feature's name has
#: a space
FLAG: Final = "is "


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
        if planned.monitors.null_ratio is not None and (condition := told_by_others(view, planned)) is not None
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
    return CountsQuery(_rendered(query), len(flags), tuple((name, places[one]) for name, one in told.items()))


def _has_lifetime_count(view: View) -> bool:
    """Whether of every entity with an event something is known for good."""
    return any(
        counts_events(one) and not one.condition
        for one in view.features
        if one.call is not None and not one.call.window
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
    return _rendered(query)


def values_query(view: View, relation: str, at: int, features: Sequence[Planned]) -> str:
    """A query of the values of features, of the entities that something is known of; columns as `columns_of` has them.

    Args:
        relation: what has a row an entity, of its features.
    """
    query = exp.select(*_values(view, features, [at])).from_(relation, dialect="duckdb")
    return _rendered(query.where(knows_something(view)))


def training_query(view: View, planned: Planned, relation: str, most: int) -> str:
    """A query of a feature's values in at most so many rows of a training set, always the same ones.

    Args:
        planned: a feature that is not compared by its age.
        relation: where the training set is, as SQL.
    """
    value = exp.alias_(compared_value(view, planned, exp.null()), planned.name)
    query = exp.select(value).from_(exp.maybe_parse(relation, into=exp.Table, dialect="duckdb"))
    return f"{_rendered(query)} using sample reservoir({most} rows) repeatable (0)"


def newest_event_query(view: View, relation: str, until: int) -> str:
    """A query of the time of the newest event of a view's source before an instant, both in epoch milliseconds.

    Args:
        relation: the source, as SQL.
    """
    happened = instant_of(view.event_time)
    source = exp.alias_(exp.to_table(relation, dialect="duckdb"), "source", table=True)
    query = exp.select(epoch_ms(exp.Max(this=happened))).from_(source)
    return _rendered(query.where(exp.LT(this=happened.copy(), expression=timestamp(until))))


def some_entities(view: View, table: str, most: int) -> str:
    """A query of at most so many entities that a view's table has rows of, as texts: others each time."""
    keys = [exp.cast(exp.column(column.name), "varchar") for column in view.entity]
    query = exp.select(*keys).from_(table, dialect="duckdb").distinct()
    # of entities, not of rows: those that change often have many
    return f"select * from ({_rendered(query)}) using sample {most} rows"


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
    return _rendered(query)


def columns_of(planned: Planned, number: int) -> str:
    """The column of `sample_query` that has a feature's values as of one of its instants, by the number of that."""
    return f"{planned.name} {number}" if kind_of(planned) == "age" else planned.name


def _rendered(query: exp.Expr) -> str:
    """A query in DuckDB's SQL."""
    return duckdb.render(query, pretty=False, copy=False)


def _values(view: View, features: Sequence[Planned], instants: Sequence[int]) -> list[exp.Expr]:
    columns = {
        columns_of(planned, number): compared_value(view, planned, timestamp(at))
        for planned in features
        # only ages hang on the instant
        for number, at in enumerate(instants if kind_of(planned) == "age" else instants[:1])
    }
    return [exp.alias_(value, name, quoted=" " in name, copy=False) for name, value in columns.items()]


def _key(column: Column) -> exp.Expr:
    # a UUID as a text, as keys have it
    key = exp.column(column.name)
    return exp.alias_(exp.cast(key, "varchar"), column.name) if column.type == UUID else key
