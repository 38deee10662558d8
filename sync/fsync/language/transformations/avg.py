"""`window_avg(column, 30d)`, `lifetime_avg(column)`: the arithmetic mean of a column.

The exact sum divided by the count, in DOUBLE, so that it is the same number on every engine.

Input: a number. Result: DOUBLE. NULL: skipped, and not counted. Empty window: NULL.

    transformation: window_avg(amount, 90d)
"""

from __future__ import annotations

from sqlglot import exp

from fsync.language.transformations.base import Transformation, over, windowed
from fsync.language.types import DOUBLE


def build(column: exp.Expr, frame: exp.Expr) -> exp.Expr:
    total = exp.cast(over(exp.Sum(this=column), frame), "double")
    values = over(exp.Count(this=column.copy(), big_int=True), frame.copy())
    return exp.Div(this=total, expression=exp.Nullif(this=values, expression=exp.Literal.number(0)))


AVG = Transformation(
    name="avg",
    forms=windowed("avg"),
    summary="The mean of a numeric column: its exact sum divided by its count.",
    build=build,
    result_type=lambda column: DOUBLE if column.is_number else None,
    takes="a number",
)
