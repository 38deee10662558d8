"""A view's validity table as one query: events → history → changes → windowed → the table.

An event enters at its own instant and leaves each window at its end, when another row is put, so that
values are computed there too. Counts and sums of exact numbers are what entered less what left. Everything else is an
aggregate over a frame in which the rows at the ends have no values: exact for every aggregate. The rows of one instant
are made one by `valid_from < valid_to`. Their times are whole milliseconds since 1970, in which a frame's length is a
number too: engines add and compare numbers faster than times and intervals, and differ on those.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlglot import exp

from fsync.check.names import CHANGED_AT, EVENT_AT, EVENT_NUMBER, HAPPENED_AT, IS_EVENT, RESERVED, STEPS
from fsync.instant import END
from fsync.language.portable import typed
from fsync.language.transformations.base import LEAVES, TIMELINE
from fsync.language.types import DATE, TIMESTAMP
from fsync.plan import Input, Planned, View, moved
from fsync.spec.source import Column
from fsync.sql import jinja
from fsync.sql.logical import cast, cut, from_epoch, logical, next_multiple, quantise, rewrite, to_epoch

FIRST_EVENT: Final = "0001-01-01"
LAST_EVENT: Final = "9799-12-31"

#: the names of the model's frames; a window's frame is `last_30d`
LIFETIME: Final = "lifetime"


def window_name(duration: object) -> str:
    return f"last_{duration}"


def validity_table(view: View) -> exp.Expr:
    """The query of a view's dbt model, as a logical tree with dbt's Jinja in it."""
    valid_from, valid_to = map(exp.column, RESERVED)
    query = (
        exp.select(*_keys(view), valid_from, valid_to, *(_final(planned) for planned in view.features), copy=False)
        .from_(_step("windowed"), copy=False)
        .where(exp.LT(this=valid_from.copy(), expression=valid_to.copy()), copy=False)
        .with_("events", as_=_events(view), copy=False)
        .with_("history", as_=_history(view), copy=False)
        .with_("changes", as_=_changes(view), copy=False)
        .with_("windowed", as_=_windowed(view), copy=False)
    )
    query.comments = ["rows of one instant end where they begin, but for the last of them, which has seen all"]
    return query


def _step(name: str) -> exp.Expr:
    """One of the query's own tables, to read from."""
    return exp.Table(this=exp.to_identifier(name))


def _keys(view: View) -> list[exp.Expr]:
    return [exp.column(column.name) for column in view.entity]


# ---------------------------------------------------------------- events


def _events(view: View) -> exp.Expr:
    columns = [
        *(exp.alias_(_read(column), column.name) for column in view.entity),
        exp.alias_(_entering(view), EVENT_AT),
        *([exp.alias_(_instant(view.event_time), HAPPENED_AT)] if _keeps_happened_at(view) else []),
        *(exp.alias_(exp.column(name, table="source"), alias) for name, alias in _order_key(view).items()),
        *(
            exp.alias_(_input(column, view), column.name, copy=False)
            for column in view.inputs
            if column.name != IS_EVENT
        ),
    ]
    source = exp.Table(this=jinja.expression(view.source.jinja), alias=exp.to_identifier("source"))
    query = exp.select(*columns, copy=False).from_(source, copy=False)
    query.comments = ["what the features read of each event"]
    return query


def _entering(view: View) -> exp.Expr:
    """The instant from which an event counts: its own, or the next one of the granularity; NULL for no time."""
    # infinity is not between them either; two centuries before the end, so that every window ends
    happened = exp.Between(this=_utc(view.event_time), low=_timestamp(FIRST_EVENT), high=_timestamp(LAST_EVENT))
    instant = _instant(view.event_time)
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


def _instant(column: Column) -> exp.Expr:
    return cut(_utc(column))


def _timestamp(text: str) -> exp.Expr:
    return cast(exp.Literal.string(text), "timestamp")


def _read(column: Column) -> exp.Expr:
    """A source column in the type that it has for features: integers 64 bits wide, instants UTC milliseconds."""
    value = exp.column(column.name, table="source")
    assert column.type is not None  # untyped columns are a fault
    assert column.declared is not None  # where there is a type
    if column.type.name == "timestamp":
        return _instant(column)
    if column.type.name in ("bigint", "double") and column.declared.lower() != column.type.name:
        return cast(value, column.type.name)
    return value


def _input(column: Input, view: View) -> exp.Expr:
    value = exp.Literal.number(1) if column.value is None else _over_source(column.value, view)
    if column.scale is not None:
        value = quantise(value, column.scale)
    elif _reads(view, column.name, is_running=True):
        value = _exact(value, column)
    if column.where is None:
        return value
    return exp.Case(ifs=[exp.If(this=_over_source(column.where, view), true=value)])


def _exact(value: exp.Expr, column: Input) -> exp.Expr:
    """A number in the type that was declared: of a DOUBLE, which the table may hold, sums that run would drift."""
    types = None if column.value is None else typed(column.value)
    if types is None or not types.gives.is_exact_number or isinstance(value, exp.Cast):
        return value
    return cast(value, types.gives)


def _over_source(expression: exp.Expr, view: View) -> exp.Expr:
    """A spec's expression with its columns read from the source."""

    def replace(node: exp.Expr) -> exp.Expr:
        return _read(view.source.columns[node.name.lower()]) if _is_bare(node) else node

    return logical(rewrite(expression, replace))


def _is_bare(node: exp.Expr) -> bool:
    return isinstance(node, exp.Column) and not node.table


# ---------------------------------------------------------------- history


def _history(view: View) -> exp.Expr:
    names = ", ".join(column.name for column in view.entity)
    present = [key.is_(exp.null()).not_() for key in [*_keys(view), exp.column(EVENT_AT)]]
    columns = [
        *_keys(view),
        exp.column(EVENT_AT),
        *(exp.column(name) for name in _values(view) if name != EVENT_NUMBER),
    ]
    if view.needs_order:
        columns.append(exp.alias_(_numbered(view), EVENT_NUMBER))
    query = exp.select(*columns, copy=False).from_(_step("events"), copy=False)
    query = query.where(*present, jinja.expression("fsync.is_changed()"), copy=False)
    query.comments = [
        f"events without {names} or a time are left out; an incremental build needs only some of the rest"
    ]
    return query


def _numbered(view: View) -> exp.Expr:
    """The number of an event among those of its entity, in the order of time and then of the unique key."""
    first = HAPPENED_AT if _keeps_happened_at(view) else EVENT_AT
    by = [_ascending(name) for name in [first, *_order_key(view).values()]]
    return exp.Window(this=exp.RowNumber(), partition_by=_keys(view), order=exp.Order(expressions=by))


def _values(view: View) -> list[str]:
    """The columns of an event that features read."""
    inputs = [column.name for column in view.inputs if column.name != IS_EVENT]
    return [*inputs, EVENT_NUMBER] if view.needs_order else inputs


# ---------------------------------------------------------------- changes


def _changes(view: View) -> exp.Expr:
    """Rows of events and of the ends of their windows: the columns that frames run over, and those that are moved."""
    framed = [column.name for column in view.inputs if _reads(view, column.name, is_running=False)]
    framed += [EVENT_NUMBER] if view.needs_order else []
    moving = [column.name for column in view.inputs if _reads(view, column.name, is_running=True)]
    leaves = any(planned.is_running for planned in view.features)
    entering = exp.select(
        *_keys(view),
        exp.alias_(to_epoch(exp.column(EVENT_AT)), CHANGED_AT),
        *([exp.alias_(exp.Literal.number(0), LEAVES)] if leaves else []),
        *(exp.alias_(exp.Literal.number(1), name) if name == IS_EVENT else exp.column(name) for name in framed),
        *(exp.alias_(exp.column(name), moved(name)) for name in moving if name != IS_EVENT),
    ).from_(_step("history"), copy=False)
    entering.comments = ["an event enters at its instant, in milliseconds since 1970"]
    if view.every is not None:
        entering.comments = [f"an event enters at the next multiple of {view.every}"]
    query: exp.Expr = entering
    for number, window in enumerate(view.windows, start=1):
        leaving = exp.select(
            *_keys(view),
            to_epoch(exp.column(EVENT_AT)) + window.milliseconds,
            *([exp.Literal.number(number)] if leaves else []),
            *(exp.null() for _ in framed),
            *(exp.column(name) for name in moving if name != IS_EVENT),
        ).from_(_step("history"), copy=False)
        leaving.comments = [f"and leaves the window of {window} at its end"]
        query = exp.union(query, leaving, distinct=False, copy=False)
    return query


def _reads(view: View, name: str, *, is_running: bool) -> bool:
    """Whether a feature of one kind or the other reads an input."""
    return any(planned.input == name and planned.is_running == is_running for planned in view.features)


# ---------------------------------------------------------------- windowed


def _windowed(view: View) -> exp.Expr:
    end = exp.Literal.number(END)
    following = exp.Lead(this=exp.column(CHANGED_AT), offset=exp.Literal.number(1), default=end)
    valid_to = exp.Window(this=following, alias=exp.to_identifier(TIMELINE))
    features = [exp.alias_(_value(p, view), p.name, copy=False) for p in view.features if p.call is not None]
    query = exp.select(
        *_keys(view),
        exp.alias_(from_epoch(exp.column(CHANGED_AT)), "valid_from"),
        exp.alias_(from_epoch(valid_to), "valid_to"),
        *features,
        copy=False,
    ).from_(_step("changes"), copy=False)
    query.set("windows", _frames(view))
    query.comments = ["the value of every feature just after each change"]
    return query


def _value(planned: Planned, view: View) -> exp.Expr:
    call = planned.call
    assert call is not None  # derived features come later
    assert planned.input is not None  # as it is wherever `call` is
    form = next(form for form, looks in call.transformation.forms if looks == call.reach)
    arguments = [planned.input]
    if planned.is_running:
        arguments = ["1" if planned.input == IS_EVENT else moved(planned.input)]
    if call.fraction is not None:
        arguments.append(format(call.fraction, "f"))
    if call.window is not None:
        arguments.append(str(call.window))
    given = [jinja.quoted(text) for text in arguments]
    if planned.is_running and call.window is not None:
        given.append(f"leaves={view.windows.index(call.window) + 1}")
    return _finished(jinja.expression(f"fsync.{form}({', '.join(given)})"), planned)


def _finished(value: exp.Expr, planned: Planned) -> exp.Expr:
    """A feature's value with its default in the place of NULL, in its declared type."""
    if planned.type == TIMESTAMP and planned.feature.engines:
        value = cut(value)  # an engine has more digits than milliseconds
    if planned.default is not None:
        value = exp.Coalesce(this=value, expressions=[logical(planned.default)])
    return cast(value, planned.type)


def _frames(view: View) -> list[exp.Expr]:
    so_far = exp.Var(this="UNBOUNDED")
    frames = [_frame(TIMELINE, view, so_far, kind="ROWS")]
    for window in view.frames:
        # both ends of a frame belong to it, and the start of a window does not: one millisecond less
        frames.append(_frame(window_name(window), view, exp.Literal.number(window.milliseconds - 1)))
    if view.needs_lifetime:
        frames.append(_frame(LIFETIME, view, so_far))
    return frames


def _frame(name: str, view: View, start: exp.Expr, kind: str = "RANGE") -> exp.Expr:
    spec = exp.WindowSpec(kind=kind, start=start, start_side="PRECEDING", end="CURRENT ROW")
    order = exp.Order(expressions=[_ascending(CHANGED_AT)])
    return exp.Window(this=exp.to_identifier(name), partition_by=_keys(view), order=order, spec=spec)


def _ascending(name: str) -> exp.Expr:
    return exp.Ordered(this=exp.column(name), nulls_first=False)


# ---------------------------------------------------------------- the table


def _final(planned: Planned) -> exp.Expr:
    return (
        exp.column(planned.name) if planned.derived is None else exp.alias_(derived(planned), planned.name, copy=False)
    )


def derived(planned: Planned) -> exp.Expr:
    """A derived feature, over columns that have the names of the features it reads."""
    assert planned.derived is not None  # asked for derived features alone
    return _finished(logical(planned.derived), planned)
