"""What a transformation is: the one definition from which checks, models and macros are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from sqlglot import exp

from fsync.language.types import DATE, TIMESTAMP, VARCHAR, SqlType

#: How far back a transformation looks: a duration; everything so far; or, for `latest`, everything unless
#: its spec has a `ttl`.
Reach = Literal["window", "lifetime", "latest"]

#: The function `FSYNC_FIRST(value, order)`, `FSYNC_LAST(value, order)`: the value of the row with the least
#: or greatest order, among the rows whose value is not NULL. Engines spell it differently.
FIRST = "FSYNC_FIRST"
LAST = "FSYNC_LAST"
#: `FSYNC_PERCENTILE(value in DOUBLE, fraction)`: exact, and interpolated between the two nearest values.
PERCENTILE = "FSYNC_PERCENTILE"

#: the frame of all rows so far, one after the other
TIMELINE = "timeline"
#: the column that is 0 in the row of an event, and in a row at the end of a window the number of that window
LEAVES = "leaves"


@dataclass(frozen=True)
class Operands:
    """What a transformation is built from, each as an expression of the model that it stands in."""

    column: exp.Expr
    #: the name of the frame to run over
    frame: exp.Expr
    #: a column that numbers the events of an entity in their order; NULL for rows that are no events
    order: exp.Expr
    #: between 0 and 1, for a percentile alone
    fraction: exp.Expr
    #: Where a sum is made of what enters and leaves instead of a frame: the number of the window. The column then has
    #: its value in the rows at the end of that window too.
    leaves: exp.Expr | None = None


@dataclass(frozen=True)
class Example:
    """The values of some events in the order of time, and what the transformation makes of them all."""

    written: str
    given: tuple[Any, ...]
    gives: Any
    #: the type of the column
    type: str = "decimal(10,2)"


@dataclass(frozen=True)
class Transformation:
    """An aggregate over the events that happened before an instant.

    `build` is the meaning: from its operands it makes a *logical* expression, in nodes that every engine has
    or that its lowering knows. NULL inputs are skipped. A result that is NULL stands for an empty window;
    `is_zero_when_empty` says that the transformation itself turns it into 0.
    """

    name: str
    #: the public names, each also a dbt macro, and what each of them looks back on
    forms: tuple[tuple[str, Reach], ...]
    summary: str
    #: builds the logical expression
    build: Callable[[Operands], exp.Expr]
    #: the type of the result for a column of a type; None when the column's type does not fit
    result_type: Callable[[SqlType], SqlType | None]
    #: what the argument has to be, for messages: "a number"
    takes: str
    example: Example
    is_zero_when_empty: bool = False
    #: without a column, every event counts
    column_is_optional: bool = False
    #: whether the value depends on the order of events, so that ties have to be broken
    is_ordered: bool = False
    #: whether it is made of sums and counts, so that what leaves a window can be taken away again
    is_additive: bool = False
    #: whether the value of an event can be seen in the result, if only where there is one event
    exposes: bool = True
    #: whether it takes a fraction between 0 and 1 after the column
    takes_fraction: bool = False

    def can_run(self, reach: Reach) -> bool:
        """Whether there is a second form, which is faster, of what enters and leaves a window."""
        return self.is_additive and reach == "window"


def windowed(name: str) -> tuple[tuple[str, Reach], ...]:
    """The two forms of an aggregate: `window_sum(col, 30d)` and `lifetime_sum(col)`."""
    return ((f"window_{name}", "window"), (f"lifetime_{name}", "lifetime"))


def over(aggregate: exp.Expr, frame: exp.Expr) -> exp.Expr:
    """`aggregate OVER frame`, where `frame` is the name of a window of the model."""
    return exp.Window(this=aggregate, alias=frame.copy())


def total(on: Operands) -> exp.Expr:
    """The sum of the values of a column; NULL, or 0, of none."""
    if on.leaves is None:
        return over(exp.Sum(this=on.column.copy()), on.frame)
    return _running(on.column, on.leaves)


def number(on: Operands) -> exp.Expr:
    """How many values of a column are not NULL."""
    if on.leaves is None:
        return over(exp.Count(this=on.column.copy(), big_int=True), on.frame)
    one = exp.Case(ifs=[exp.If(this=on.column.is_(exp.null()).not_(), true=exp.Literal.number(1))])
    return exp.Coalesce(this=_running(one, on.leaves), expressions=[exp.Literal.number(0)])


def _running(value: exp.Expr, leaves: exp.Expr) -> exp.Expr:
    """All that entered so far less all that left. Exact for exact numbers, and for no others.

    The rows of one instant are in some order, and the last of them has seen all: it is the one that is kept, since
    that is told by the same order.
    """
    enters = exp.If(this=exp.Literal.number(0), true=value.copy())
    goes = exp.If(this=leaves.copy(), true=exp.Neg(this=exp.Paren(this=value.copy())))
    moved = exp.Case(this=exp.column(LEAVES), ifs=[enters, goes])
    return over(exp.Sum(this=moved), exp.to_identifier(TIMELINE))


def call(name: str, *arguments: exp.Expr) -> exp.Expr:
    """A function that an engine's lowering knows."""
    return exp.Anonymous(this=name, expressions=[argument.copy() for argument in arguments])


def in_double(column: exp.Expr) -> exp.Expr:
    return exp.cast(column.copy(), "double")


def comparable(column: SqlType) -> SqlType | None:
    """The type itself, where its values have the same order on every engine."""
    return column if column.is_number or column in (VARCHAR, DATE, TIMESTAMP) else None
