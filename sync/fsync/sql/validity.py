"""A view's validity table as one query: events → history → changes → windowed → the table.

An event enters at its own instant and leaves each window at its end, when another row is put, so that
values are computed there too. Counts and sums of exact numbers are what entered less what left. Everything else is an
aggregate over a frame in which the rows at the ends have no values: exact for every aggregate. The rows of one instant
are made one by `valid_from < valid_to`. Their times are whole milliseconds since 1970, in which a frame's length is a
number too: engines add and compare numbers faster than times and intervals, and differ on those.
"""

from __future__ import annotations

from typing import Final

from sqlglot import exp

from fsync.check.names import CHANGED_AT, EVENT_AT, EVENT_NUMBER, IS_EVENT, RESERVED
from fsync.instant import END
from fsync.language.transformations.base import LEAVES, TIMELINE
from fsync.language.types import TIMESTAMP
from fsync.plan import Planned, View, moved
from fsync.sql import jinja
from fsync.sql.events import ascending, events, history, keys, step
from fsync.sql.logical import cast, cut, from_epoch, logical, to_epoch

#: the names of the model's frames; a window's frame is `last_30d`
LIFETIME: Final = "lifetime"


def window_name(duration: object) -> str:
    return f"last_{duration}"


def validity_table(view: View) -> exp.Expr:
    """The query of a view's dbt model, as a logical tree with dbt's Jinja in it."""
    valid_from, valid_to = map(exp.column, RESERVED)
    query = (
        exp.select(*keys(view), valid_from, valid_to, *(_final(planned) for planned in view.features), copy=False)
        .from_(step("windowed"), copy=False)
        .where(exp.LT(this=valid_from.copy(), expression=valid_to.copy()), copy=False)
        .with_("events", as_=events(view), copy=False)
        .with_("history", as_=history(view), copy=False)
        .with_("changes", as_=_changes(view), copy=False)
        .with_("windowed", as_=_windowed(view), copy=False)
    )
    query.comments = ["rows of one instant end where they begin, but for the last of them, which has seen all"]
    return query


# ---------------------------------------------------------------- changes


def _changes(view: View) -> exp.Expr:
    """Rows of events and of the ends of their windows: the columns that frames run over, and those that are moved."""
    framed = [column.name for column in view.inputs if view.reads(column.name, is_running=False)]
    framed += [EVENT_NUMBER] if view.needs_order else []
    moving = [column.name for column in view.inputs if view.reads(column.name, is_running=True)]
    leaves = any(planned.is_running for planned in view.features)
    entering = exp.select(
        *keys(view),
        exp.alias_(to_epoch(exp.column(EVENT_AT)), CHANGED_AT),
        *([exp.alias_(exp.Literal.number(0), LEAVES)] if leaves else []),
        *(exp.alias_(exp.Literal.number(1), name) if name == IS_EVENT else exp.column(name) for name in framed),
        *(exp.alias_(exp.column(name), moved(name)) for name in moving if name != IS_EVENT),
    ).from_(step("history"), copy=False)
    entering.comments = ["an event enters at its instant, in milliseconds since 1970"]
    if view.every is not None:
        entering.comments = [f"an event enters at the next multiple of {view.every}"]
    query: exp.Expr = entering
    for number, window in enumerate(view.windows, start=1):
        leaving = exp.select(
            *keys(view),
            to_epoch(exp.column(EVENT_AT)) + window.milliseconds,
            *([exp.Literal.number(number)] if leaves else []),
            *(exp.null() for _ in framed),
            *(exp.column(name) for name in moving if name != IS_EVENT),
        ).from_(step("history"), copy=False)
        leaving.comments = [f"and leaves the window of {window} at its end"]
        query = exp.union(query, leaving, distinct=False, copy=False)
    return query


# ---------------------------------------------------------------- windowed


def _windowed(view: View) -> exp.Expr:
    end = exp.Literal.number(END)
    following = exp.Lead(this=exp.column(CHANGED_AT), offset=exp.Literal.number(1), default=end)
    valid_to = exp.Window(this=following, alias=exp.to_identifier(TIMELINE))
    features = [exp.alias_(_value(p, view), p.name, copy=False) for p in view.features if p.call is not None]
    query = exp.select(
        *keys(view),
        exp.alias_(from_epoch(exp.column(CHANGED_AT)), "valid_from"),
        exp.alias_(from_epoch(valid_to), "valid_to"),
        *features,
        copy=False,
    ).from_(step("changes"), copy=False)
    query.set("windows", _frames(view))
    query.comments = ["the value of every feature just after each change"]
    return query


def column(planned: Planned, view: View) -> exp.Expr:
    """A feature's column of the model, by itself."""
    return _value(planned, view) if planned.derived is None else derived(planned)


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
    order = exp.Order(expressions=[ascending(CHANGED_AT)])
    return exp.Window(this=exp.to_identifier(name), partition_by=keys(view), order=order, spec=spec)


# ---------------------------------------------------------------- the table


def _final(planned: Planned) -> exp.Expr:
    return (
        exp.column(planned.name) if planned.derived is None else exp.alias_(derived(planned), planned.name, copy=False)
    )


def derived(planned: Planned) -> exp.Expr:
    """A derived feature, over columns that have the names of the features it reads."""
    assert planned.derived is not None  # asked for derived features alone
    return _finished(logical(planned.derived), planned)
