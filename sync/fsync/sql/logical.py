"""The nodes of a logical tree that engines spell differently: calls of functions named FSYNC_….

Everything else in a logical tree is a stock sqlglot node with one meaning on every engine. An engine's
lowering replaces each of these before printing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Final

from sqlglot import exp

from fsync.instant import to_datetime, to_milliseconds
from fsync.language.transformations import base
from fsync.language.types import decimal, quantised

#: a timestamp in UTC, or a date → the timestamp, cut (not rounded) to milliseconds
TO_MILLISECONDS: Final = "FSYNC_TO_MILLISECONDS"
#: two numbers → their quotient in DOUBLE, NULL where the divisor is 0
DIVIDE: Final = "FSYNC_DIVIDE"
#: a timestamp, a number of milliseconds → the timestamp that much later
LATER: Final = "FSYNC_LATER"
#: a number of milliseconds W → the start of a frame that holds the rows of the last W, an open end at W
REACH_BACK: Final = "FSYNC_REACH_BACK"

#: a timestamp, a number of milliseconds → the first multiple of that number since the epoch that is later
NEXT_MULTIPLE: Final = "FSYNC_NEXT_MULTIPLE"

PLACEHOLDERS: Final = frozenset(
    {TO_MILLISECONDS, DIVIDE, LATER, REACH_BACK, NEXT_MULTIPLE, base.FIRST, base.LAST, base.PERCENTILE}
)


def call(name: str, *arguments: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=list(arguments))


def cut(instant: exp.Expr) -> exp.Expr:
    return call(TO_MILLISECONDS, instant)


def later(instant: exp.Expr, milliseconds: int) -> exp.Expr:
    return call(LATER, instant, exp.Literal.number(milliseconds))


def reach_back(milliseconds: int) -> exp.Expr:
    return call(REACH_BACK, exp.Literal.number(milliseconds))


def next_multiple(instant: exp.Expr, milliseconds: int) -> exp.Expr:
    return call(NEXT_MULTIPLE, instant, exp.Literal.number(milliseconds))


def quantise(number: exp.Expr, scale: int) -> exp.Expr:
    """A DOUBLE, cut to `scale` digits after the point, as an exact number of the type `quantised(scale)`."""
    shifted = exp.Mul(this=exp.Paren(this=number), expression=exp.Literal.number(f"1e{scale}"))
    rounded = exp.Floor(this=exp.Add(this=shifted, expression=exp.Literal.number("0.5")))
    whole = exp.cast(exp.cast(rounded, "bigint"), str(quantised(0)))
    unit = exp.cast(exp.Literal.number(format(Decimal(1).scaleb(-scale), "f")), str(decimal(scale + 1, scale)))
    return exp.cast(exp.Mul(this=whole, expression=unit), str(quantised(scale)))


def logical(node: exp.Expr) -> exp.Expr:
    """A parsed scalar expression as a logical tree, in which everything has its one meaning.

    Division gives DOUBLE and NULL for a zero divisor; integers are computed in 64 bits, constants too; a
    constant time is written in UTC and milliseconds.
    """
    return rewrite(node, _logical)


def _logical(part: exp.Expr) -> exp.Expr:
    if isinstance(part, exp.Div):
        return call(DIVIDE, part.this, part.expression)
    if isinstance(part, exp.Cast) and isinstance(part.this, exp.Literal) and part.this.is_string:
        return _time_constant(part.this.name, is_date=part.args["to"].is_type("date"))
    if isinstance(part, exp.Literal) and not part.is_string and part.name.isdigit() and _is_narrow(part):
        return exp.cast(part.copy(), "bigint")
    return part


def _time_constant(text: str, *, is_date: bool) -> exp.Expr:
    """An ISO 8601 text as a DATE or TIMESTAMP constant, in UTC and milliseconds."""
    if is_date:
        return exp.cast(exp.Literal.string(date.fromisoformat(text).isoformat()), "date")
    instant = to_datetime(to_milliseconds(text))
    return exp.cast(exp.Literal.string(instant.isoformat(sep=" ", timespec="milliseconds")), "timestamp")


def _is_narrow(literal: exp.Expr) -> bool:
    """Whether an engine could compute with this integer in fewer bits: it meets no column in its arithmetic."""
    node, parent = literal, literal.parent
    while isinstance(parent, exp.Paren | exp.Neg | exp.Abs | exp.If | exp.Case | exp.Coalesce | exp.Nullif):
        node, parent = parent, parent.parent
    if not isinstance(parent, exp.Add | exp.Sub | exp.Mul):
        return False
    other = parent.expression if parent.this is node else parent.this
    return not isinstance(other.unnest(), exp.Column)


def rewrite(tree: exp.Expr, replace: Callable[[exp.Expr], exp.Expr], *, copy: bool = True) -> exp.Expr:
    """A copy of `tree` in which every node went through `replace`, innermost first.

    Without `copy`, `tree` itself, for a caller that has just made it and needs it no more.
    """
    root = exp.Paren(this=tree.copy() if copy else tree)
    for node in reversed(list(root.this.walk())):
        new = replace(node)
        if new is not node:
            node.replace(new)
    found: exp.Expr = root.this.pop()
    return found
