"""`window_percentile(column, 0.95, 30d)`, `lifetime_percentile(column, 0.95)`: a share of the values is below it.

The fraction lies between 0 (the minimum) and 1 (the maximum). Of n values in order, numbered from 0, it is the
one with the number `fraction * (n - 1)`, or what lies on the straight line between the two around that. Exact,
not an estimate.

Input: a number. Result: DOUBLE. NULL: skipped. Empty window: NULL.

    transformation: window_percentile(amount, 0.95, 30d)
"""

from __future__ import annotations

from sqlglot import exp

from fsync.language.transformations import base
from fsync.language.transformations.base import Example, Operands, Transformation, in_double, over, windowed
from fsync.language.types import DOUBLE


def build(on: Operands) -> exp.Expr:
    return over(base.call(base.PERCENTILE, in_double(on.column), on.fraction), on.frame)


PERCENTILE = Transformation(
    name="percentile",
    forms=windowed("percentile"),
    summary="The value that a fraction of the values of a numeric column lies below, interpolated.",
    build=build,
    result_type=lambda column: DOUBLE if column.is_number else None,
    takes="a number",
    example=Example("window_percentile(amount, 0.75, 30d)", given=("10", "20", None, "40"), gives=30.0),
    takes_fraction=True,
)
