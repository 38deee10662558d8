"""Queries that look back at one entity: its row in a table, and its events in the source."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from fsync.plan import Planned, View
from fsync.sql.engines import duckdb
from fsync.sql.events import instant_of, over_source, read_column
from fsync.sql.instants import epoch_ms, holds, timestamp
from fsync.sql.logical import cast


def row_holding(view: View, table: str, feature: str, entity: Sequence[str], at: int) -> str:
    """A query of (value, valid_from, valid_to) of the row that holds at an instant; of no row where none does.

    Args:
        table: the view's table, quoted.
        entity: its values as texts, in the order of the view's columns.
        at: in epoch milliseconds, as the instants that it gives.
    """
    query = (
        exp.select(exp.column(feature), epoch_ms(exp.column("valid_from")), epoch_ms(exp.column("valid_to")))
        .from_(table, dialect="duckdb")
        .where(
            *(
                exp.column(column.name).eq(_value(text, column.type))
                for column, text in zip(view.entity, entity, strict=True)
            ),
            holds(timestamp(at)),
        )
    )
    return duckdb.render(query)


def source_rows(
    view: View, made_of: Sequence[Planned], relation: str, entity: Sequence[str], since: int | None, until: int
) -> exp.Select:
    """A query of the events of an entity in [since, until), all columns of the source, as a logical tree.

    Of one feature only those that its condition is true of; of several those that one of their conditions is.
    """
    happened = instant_of(view.event_time)
    conditions: list[exp.Expr] = [
        read_column(column).eq(_value(text, column.type)) for column, text in zip(view.entity, entity, strict=True)
    ]
    conditions.append(exp.LT(this=happened, expression=timestamp(until)))
    if since is not None:
        conditions.append(exp.GTE(this=happened.copy(), expression=timestamp(since)))
    wheres = [planned.feature.where for planned in made_of]
    if None not in wheres:
        conditions.append(exp.or_(*(over_source(where.node, view) for where in wheres if where is not None)))
    source = exp.alias_(exp.to_table(relation, dialect="duckdb"), "source", table=True)
    return exp.select("source.*").from_(source).where(*conditions)


def how_many(rows: exp.Select) -> str:
    """A query of the number of rows of another one."""
    return duckdb.render(exp.select(exp.Count(this=exp.Star())).from_(rows.subquery("rows")))


def newest(rows: exp.Select, view: View, limit: int) -> str:
    """A query of the newest events among `source_rows`, the newest first."""
    by = exp.Ordered(this=instant_of(view.event_time), desc=True, nulls_first=False)
    return duckdb.render(rows.order_by(by).limit(limit))


def _value(text: str, kind: object) -> exp.Expr:
    return cast(exp.Literal.string(text), str(kind))
