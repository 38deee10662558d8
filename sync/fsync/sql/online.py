"""What a store holds of a view, as SQL: the keys and values of `fsync.wire`, to the byte.

    ┌────────────────────────────────┬─────────────────────────────────────────────────────────┐
    │              key               │                          value                          │
    ├────────────────────────────────┼─────────────────────────────────────────────────────────┤
    │ fs:{42}:user_lifetime:715776b2 │ [[869961600000,[3,"26.55"]],[870048000000,[1,"38.32"]]] │
    └────────────────────────────────┴─────────────────────────────────────────────────────────┘

Most entities have one row that holds all the way from the push to its horizon. Of the others the changes to come are
gathered first, and joined to the row that holds at the push: no step holds all entities at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Final

from sqlglot import exp

from fsync.language.types import DOUBLE, TIMESTAMP, VARCHAR, SqlType
from fsync.plan import View
from fsync.sql.empty import all_empty
from fsync.sql.instants import epoch_ms, timestamp
from fsync.wire import Value
from fsync.wire.keys import ESCAPED, NOTHING, around_entity

#: the letters that are escaped, the percent first: it is what escapes
_LETTERS: Final = (37, *(ord(letter) for letter in "|{}"), *range(0x20), 0x7F)

_ITEMS: Final = """\
-- the changes to come, each beside the one before it
following as (
  select entity, start, features, is_empty, lag(features) over (partition by entity order by start) as before
  from coming
),
-- without those that change nothing; whether the first does so, the row that holds at the push decides
gathered as (
  select
    entity,
    arg_min(features, start) as first_features,
    min(start) as first_start,
    string_agg(',[' || start || ',' || features || ']', '' order by start)
      filter (where before is not null and before <> features) as later,
    bool_and(is_empty) as is_empty
  from following
  group by entity
)
select
  concat({before}, coalesce(held.entity, gathered.entity), {after}) as key,
  concat(
    '[',
    '[' || held.start || ',' || held.features || ']',
    case when gathered.first_features <> held.features then ',' end,
    case when gathered.first_features is distinct from held.features
      then '[' || gathered.first_start || ',' || gathered.first_features || ']' end,
    gathered.later,
    ']'
  ) as value
from held
full join gathered on held.entity = gathered.entity"""

_INFINITE: Final = ("Infinity", "-Infinity")

_NOT_EMPTY: Final = "\nwhere not (coalesce(held.is_empty, true) and coalesce(gathered.is_empty, true))"


def online_query(
    view: View, table: str, as_of: int, until: int, empty: Sequence[Value], prefix: str, *, sparse: bool
) -> str:
    """A DuckDB query of (key, value), both text, one row an entity, in no order.

    Args:
        table: the name of the view's table, quoted.
        as_of: the instant of the push, in epoch milliseconds.
        until: its horizon.
        empty: the view's empty values.
        prefix: the prefix of the deployment's keys.
        sparse: leave out entities that are at their empty values all the way.
    """
    held = _rows(view, table, empty).where(_before("valid_from", as_of), _not_before("valid_to", as_of), copy=False)
    coming = _rows(view, table, empty).where(_not_before("valid_from", as_of), _before("valid_from", until), copy=False)
    before, after = (exp.Literal.string(text).sql() for text in around_entity(prefix, view.name, view.hash))
    items = _ITEMS.format(before=before, after=after)
    return (
        f"with held as (\n{held.sql('duckdb', pretty=True)}\n),\ncoming as (\n{coming.sql('duckdb', pretty=True)}\n),\n"
        f"{items}{_NOT_EMPTY if sparse else ''}"
    )


def _rows(view: View, table: str, empty: Sequence[Value]) -> exp.Select:
    """The rows of the table, in the words of the contract: entity, start, features, and whether they are all empty."""
    values = [_json(exp.column(planned.name), planned.type) for planned in view.features]
    features = _text(exp.Anonymous(this="json_array", expressions=values))
    entity = [_entity_text(exp.column(column.name), column.type) for column in view.entity]
    return exp.select(
        exp.alias_(_joined(_between(entity, "|")), "entity"),
        exp.alias_(epoch_ms(exp.column("valid_from")), "start"),
        exp.alias_(features, "features"),
        exp.alias_(all_empty(view, empty), "is_empty"),
    ).from_(table, dialect="duckdb")


def _before(column: str, instant: int) -> exp.Expr:
    return exp.LT(this=exp.column(column), expression=timestamp(instant))


def _not_before(column: str, instant: int) -> exp.Expr:
    return exp.GTE(this=exp.column(column), expression=timestamp(instant))


# ---------------------------------------------------------------- values


def _json(column: exp.Expr, kind: SqlType) -> exp.Expr:
    """A feature as `json_array` writes it the way of `fsync.wire.values`."""
    if kind == DOUBLE:
        return (
            exp.case()
            .when(exp.func("isnan", column), _as_json(exp.Literal.string("NaN")))
            .when(exp.func("isinf", column), _as_json(exp.func("if", column > 0, *map(exp.Literal.string, _INFINITE))))
            .else_(_as_json(column))
        )
    if kind == TIMESTAMP:
        return epoch_ms(column)
    if kind.name not in ("decimal", "date", "uuid"):
        return column
    text = _text(column)
    if kind.scale is None or kind.scale != kind.precision:
        return text
    # of a DECIMAL without digits before the point DuckDB writes .5
    pattern, zero = exp.Literal.string(r"^(-?)\."), exp.Literal.string(r"\10.")
    return exp.Anonymous(this="regexp_replace", expressions=[text, pattern, zero])


def _as_json(value: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this="to_json", expressions=[value])


# ---------------------------------------------------------------- entities


def _entity_text(column: exp.Expr, kind: SqlType | None) -> exp.Expr:
    """An entity's column as keys have it: never NULL, since no event without an entity enters a table."""
    if kind != VARCHAR:
        return _text(column)
    escaped = reduce(
        lambda text, letter: exp.func("replace", text, exp.func("chr", letter), exp.Literal.string(f"%{letter:02X}")),
        _LETTERS,
        column,
    )
    return (
        exp.case()
        .when(column.eq(exp.Literal.string("")), exp.Literal.string(NOTHING))
        .when(exp.func("regexp_matches", column, exp.Literal.string(ESCAPED)), escaped)
        .else_(column)
    )


def _between(parts: Sequence[exp.Expr], separator: str) -> list[exp.Expr]:
    return [part for one in parts for part in (exp.Literal.string(separator), one)][1:]


def _joined(parts: Sequence[exp.Expr]) -> exp.Expr:
    return reduce(lambda left, right: exp.DPipe(this=left, expression=right, safe=True), parts)


def _text(value: exp.Expr) -> exp.Expr:
    return exp.cast(value, "varchar")
