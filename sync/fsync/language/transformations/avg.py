"""`window_avg(column, 30d)`, `lifetime_avg(column)`: the arithmetic mean of a column.

The exact sum divided by the count, in DOUBLE, so that it is the same number on every engine.

Input: a number. Result: DOUBLE. NULL: skipped, and not counted. Empty window: NULL.

    transformation: window_avg(amount, 90d)
"""

from __future__ import annotations

from sqlglot import exp

from fsync.language.transformations.base import Example, Operands, Transformation, in_double, number, total, windowed
from fsync.language.types import DOUBLE


def build(on: Operands) -> exp.Expr:
    values = exp.Nullif(this=number(on), expression=exp.Literal.number(0))
    return exp.Div(this=in_double(total(on)), expression=values)


AVG = Transformation(
    name="avg",
    forms=windowed("avg"),
    summary="The mean of a numeric column: its exact sum divided by its count.",
    build=build,
    result_type=lambda column: DOUBLE if column.is_number else None,
    takes="a number",
    example=Example("window_avg(amount, 90d)", given=("1", "2", None, "4.50"), gives=2.5),
    is_additive=True,
)
