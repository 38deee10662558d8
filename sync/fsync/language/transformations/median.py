"""`window_median(column, 30d)`, `lifetime_median(column)`: the middle value of a column.

Of an even number of values, the mean of the two in the middle. Exact, not an estimate; it is
`window_percentile(column, 0.5, 30d)`.

Input: a number. Result: DOUBLE. NULL: skipped. Empty window: NULL.

    transformation: window_median(amount, 30d)
"""

from __future__ import annotations

from sqlglot import exp

from fsync.language.transformations import base
from fsync.language.transformations.base import Example, Operands, Transformation, in_double, over, windowed
from fsync.language.types import DOUBLE


def build(on: Operands) -> exp.Expr:
    return over(base.call(base.PERCENTILE, in_double(on.column), exp.Literal.number("0.5")), on.frame)


MEDIAN = Transformation(
    name="median",
    forms=windowed("median"),
    summary="The middle value of a numeric column, or the mean of the two in the middle.",
    build=build,
    result_type=lambda column: DOUBLE if column.is_number else None,
    takes="a number",
    example=Example("window_median(amount, 30d)", given=("1", "9", None, "2", "4"), gives=3.0),
)
