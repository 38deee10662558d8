"""The events that a view is made of, as its model reads them from its source: the steps `events` and `history`.

Here every column gets the type and the digits that features know it in, every input of a feature is computed, and what
has no entity or no time is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlglot import exp

from fsync.check.names import EVENT_AT, EVENT_NUMBER, HAPPENED_AT, IS_EVENT, STEPS
from fsync.language.portable import typed
from fsync.language.types import DATE
from fsync.plan import Input, View
from fsync.spec.source import Column
from fsync.sql import jinja
from fsync.sql.logical import cast, cut, logical, next_multiple, quantise, rewrite

FIRST_EVENT: Final = "0001-01-01"
LAST_EVENT: Final = "9799-12-31"


def keys(view: View) -> list[exp.Expr]:
    return [exp.column(column.name) for column in view.entity]


def step(name: str) -> exp.Expr:
    """One of the query's own tables, to read from."""
    return exp.Table(this=exp.to_identifier(name))


def ascending(name: str) -> exp.Expr:
    return exp.Ordered(this=exp.column(name), nulls_first=False)


def events(view: View) -> exp.Expr:
    columns = [
        *(exp.alias_(read_column(column), column.name) for column in view.entity),
        exp.alias_(_entering(view), EVENT_AT),
        *([exp.alias_(instant_of(view.event_time), HAPPENED_AT)] if _keeps_happened_at(view) else []),
        *(exp.alias_(exp.column(name, table="source"), alias) for name, alias in _order_key(view).items()),
        *(exp.alias_(_input(column, view), column.name, copy=False) for column in _read_of_events(view)),
    ]
    source = exp.Table(this=jinja.expression(view.source.jinja), alias=exp.to_identifier("source"))
    query = exp.select(*columns, copy=False).from_(source, copy=False)
    query.comments = ["what the features read of each event"]
    return query


def _read_of_events(view: View) -> list[Input]:
    """The inputs that are columns of events: all but the mark that a row is one."""
    return [column for column in view.inputs if column.name != IS_EVENT]


def _entering(view: View) -> exp.Expr:
    """The instant from which an event counts: its own, or the next one of the granularity; NULL for no time."""
    # infinity is not between them either; two centuries before the end, so that every window ends
    happened = exp.Between(this=_utc(view.event_time), low=_timestamp(FIRST_EVENT), high=_timestamp(LAST_EVENT))
    instant = instant_of(view.event_time)
    if view.every is not None:
        instant = next_multiple(instant, view.every.milliseconds)
    return exp.Case(ifs=[exp.If(this=happened, true=instant)])


def _keeps_happened_at(view: View) -> bool:
    """Whether the order of events has to be told by more than the instants at which they enter."""
    return view.needs_order and view.every is not None


def _order_key(view: View) -> Mapping[str, str]:
    """The unique key of the source, where ties have to be broken: column → its name in the model.

    It is read as it is, beside what features read of the same column: a time that is cut to milliseconds
    is no key any more.
    """
    if not view.needs_order:
        return {}
    entity = {column.name for column in view.entity}  # the same for all that is ordered
    taken = {column.name for column in view.inputs} | set(STEPS)
    named: dict[str, str] = {}
    for name in (name for name in view.source.unique_key if name not in entity):
        free = f"key_{name}" if name in taken else name
        while free in taken:
            free += "_"
        named[name] = free
        taken.add(free)
    return named


def _utc(column: Column) -> exp.Expr:
    """The time of a source column in UTC, in the digits that it has."""
    value = exp.column(column.name, table="source")
    if column.is_zoned:
        return exp.AtTimeZone(this=value, zone=exp.Literal.string("UTC"))
    return cast(value, "date") if column.type == DATE else value


def instant_of(column: Column) -> exp.Expr:
    """The time of an event in UTC, cut to milliseconds, read from `source`."""
    return cut(_utc(column))


def _timestamp(text: str) -> exp.Expr:
    return cast(exp.Literal.string(text), "timestamp")


def read_column(column: Column) -> exp.Expr:
    """A source column in the type that it has for features: integers 64 bits wide, instants UTC milliseconds."""
    value = exp.column(column.name, table="source")
    assert column.type is not None  # untyped columns are a fault
    assert column.declared is not None  # where there is a type
    if column.type.name == "timestamp":
        return instant_of(column)
    if column.type.name in ("bigint", "double") and column.declared.lower() != column.type.name:
        return cast(value, column.type.name)
    return value


def _input(column: Input, view: View) -> exp.Expr:
    value = exp.Literal.number(1) if column.value is None else over_source(column.value, view)
    if column.scale is not None:
        value = quantise(value, column.scale)
    elif view.reads(column.name, is_running=True):
        value = _exact(value, column)
    if column.where is None:
        return value
    return exp.Case(ifs=[exp.If(this=over_source(column.where, view), true=value)])


def _exact(value: exp.Expr, column: Input) -> exp.Expr:
    """A number in the type that was declared: of a DOUBLE, which the table may hold, sums that run would drift."""
    types = None if column.value is None else typed(column.value)
    if types is None or not types.gives.is_exact_number or isinstance(value, exp.Cast):
        return value
    return cast(value, types.gives)


def over_source(expression: exp.Expr, view: View) -> exp.Expr:
    """A spec's expression with its columns read from the source."""

    def replace(node: exp.Expr) -> exp.Expr:
        return read_column(view.source.columns[node.name.lower()]) if _is_bare(node) else node

    return logical(rewrite(expression, replace), copy=False)


def _is_bare(node: exp.Expr) -> bool:
    return isinstance(node, exp.Column) and not node.table


def history(view: View) -> exp.Expr:
    names = ", ".join(column.name for column in view.entity)
    present = [key.is_(exp.null()).not_() for key in [*keys(view), exp.column(EVENT_AT)]]
    columns = [
        *keys(view),
        exp.column(EVENT_AT),
        *(exp.column(column.name) for column in _read_of_events(view)),
    ]
    if view.needs_order:
        columns.append(exp.alias_(_numbered(view), EVENT_NUMBER))
    query = exp.select(*columns, copy=False).from_(step("events"), copy=False)
    query = query.where(*present, jinja.expression("fsync.is_changed()"), copy=False)
    query.comments = [
        f"events without {names} or a time are left out; an incremental build needs only some of the rest"
    ]
    return query


def _numbered(view: View) -> exp.Expr:
    """The number of an event among those of its entity, in the order of time and then of the unique key."""
    first = HAPPENED_AT if _keeps_happened_at(view) else EVENT_AT
    by = [ascending(name) for name in [first, *_order_key(view).values()]]
    return exp.Window(this=exp.RowNumber(), partition_by=keys(view), order=exp.Order(expressions=by))
