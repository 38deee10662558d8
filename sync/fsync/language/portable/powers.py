"""Roots, powers and logarithms: in DOUBLE, the same on every engine to one part in 1e9."""

from __future__ import annotations

import math
from typing import Final

from sqlglot import exp

from fsync.language.portable.base import Entry, Typing
from fsync.language.types import DOUBLE, SqlType


def _of_one(typing: Typing, node: exp.Expr) -> SqlType | None:
    return DOUBLE if typing.number(node.this) is not None else None


def _of_two(typing: Typing, node: exp.Expr) -> SqlType | None:
    found = typing.number(node.this), typing.number(node.expression)
    return DOUBLE if None not in found else None


POWERS: Final = (
    Entry(
        written="sqrt(a)",
        on="numbers",
        gives="DOUBLE",
        meaning="The square root. NULL of NULL and of a number below 0.",
        nodes=(exp.Sqrt,),
        rule=_of_one,
        examples=(("sqrt(6.25)", 2.5), ("sqrt(0)", 0.0), ("sqrt(-1)", None), ("sqrt(null)", None)),
    ),
    Entry(
        written="ln(a)",
        on="numbers",
        gives="DOUBLE",
        meaning="The natural logarithm. NULL of NULL, of 0 and of a number below it.",
        nodes=(exp.Ln,),
        rule=_of_one,
        examples=(("ln(2)", math.log(2)), ("ln(1)", 0.0), ("ln(0)", None), ("ln(-1e0)", None), ("ln(null)", None)),
    ),
    Entry(
        written="exp(a)",
        on="numbers",
        gives="DOUBLE",
        meaning="e to the power `a`, infinity where that is too large for a DOUBLE. NULL of NULL.",
        nodes=(exp.Exp,),
        rule=_of_one,
        examples=(("exp(1)", math.e), ("exp(0.0)", 1.0), ("exp(1000)", math.inf), ("exp(null)", None)),
    ),
    Entry(
        written="power(a, b)",
        on="numbers",
        gives="DOUBLE",
        meaning=(
            "`a` to the power `b`, infinity where that is too large; what has no real number, a broken power of a "
            "number below 0, is NaN. NULL when one of the two is."
        ),
        nodes=(exp.Pow,),
        rule=_of_two,
        examples=(
            ("power(2, 10)", 1024.0),
            ("power(2.25, 0.5)", 1.5),
            ("power(0, 0)", 1.0),
            ("power(0, -1)", math.inf),
            ("power(2, null)", None),
        ),
    ),
)
