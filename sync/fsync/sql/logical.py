"""The nodes of a logical tree that engines spell differently: calls of functions named FSYNC_….

Everything else in a logical tree is a stock sqlglot node with one meaning on every engine. An engine's
lowering replaces each of these before printing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sqlglot import exp

#: a timestamp, date or zoned timestamp → the timestamp in UTC, cut (not rounded) to milliseconds
TO_MILLISECONDS: Final = "FSYNC_TO_MILLISECONDS"
#: two numbers → their quotient in DOUBLE, NULL where the divisor is 0
DIVIDE: Final = "FSYNC_DIVIDE"
#: a timestamp, a number of milliseconds → the timestamp that much later
LATER: Final = "FSYNC_LATER"
#: a number of milliseconds W → the start of a frame that holds the rows of the last W, an open end at W
REACH_BACK: Final = "FSYNC_REACH_BACK"

PLACEHOLDERS: Final = frozenset({TO_MILLISECONDS, DIVIDE, LATER, REACH_BACK})


def call(name: str, *arguments: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=list(arguments))


def to_milliseconds(instant: exp.Expr, *, zoned: bool) -> exp.Expr:
    if zoned:
        instant = exp.AtTimeZone(this=instant, zone=exp.Literal.string("UTC"))
    return call(TO_MILLISECONDS, instant)


def later(instant: exp.Expr, milliseconds: int) -> exp.Expr:
    return call(LATER, instant, exp.Literal.number(milliseconds))


def reach_back(milliseconds: int) -> exp.Expr:
    return call(REACH_BACK, exp.Literal.number(milliseconds))


def logical(node: exp.Expr) -> exp.Expr:
    """A parsed scalar expression as a logical tree: division gets its one meaning."""
    return rewrite(node, lambda part: call(DIVIDE, part.this, part.expression) if isinstance(part, exp.Div) else part)


def rewrite(tree: exp.Expr, replace: Callable[[exp.Expr], exp.Expr]) -> exp.Expr:
    """A copy of `tree` in which every node went through `replace`, innermost first."""
    root = exp.Paren(this=tree.copy())
    for node in reversed(list(root.this.walk())):
        new = replace(node)
        if new is not node:
            node.replace(new)
    found: exp.Expr = root.this.pop()
    return found
