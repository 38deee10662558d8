"""What a transformation is: the one definition from which checks, models and macros are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sqlglot import exp

from fsync.language.types import SqlType

#: How far back a transformation looks: a duration, everything so far, or the newest value.
Reach = Literal["window", "lifetime", "latest"]


@dataclass(frozen=True)
class Transformation:
    """An aggregate over the events that happened before an instant.

    `build` is the meaning: from a column and a frame it makes a *logical* expression, in nodes that
    every engine has or that its lowering knows. NULL inputs are skipped. A result that is NULL stands
    for an empty window; `is_zero_when_empty` says that the transformation itself turns it into 0.
    """

    name: str
    #: the public names, each also a dbt macro, and what each of them looks back on
    forms: tuple[tuple[str, Reach], ...]
    summary: str
    #: builds the logical expression from the column and the frame it runs over
    build: Callable[[exp.Expr, exp.Expr], exp.Expr]
    #: the type of the result for a column of a type; None when the column's type does not fit
    result_type: Callable[[SqlType], SqlType | None]
    #: what the argument has to be, for messages: "a number"
    takes: str
    is_zero_when_empty: bool = False
    #: without a column, every event counts
    column_is_optional: bool = False


def windowed(name: str) -> tuple[tuple[str, Reach], ...]:
    """The two forms of an aggregate: `window_sum(col, 30d)` and `lifetime_sum(col)`."""
    return ((f"window_{name}", "window"), (f"lifetime_{name}", "lifetime"))


def over(aggregate: exp.Expr, frame: exp.Expr) -> exp.Expr:
    """`aggregate OVER frame`, where `frame` is the name of a window of the model."""
    return exp.Window(this=aggregate, alias=frame)
