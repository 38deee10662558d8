"""`window_stddev(column, 30d)`, `lifetime_stddev(column)`: the standard deviation of a sample, with n - 1.

The same to 1 part in 1e9 on every engine, not to the last digit.

Input: a number. Result: DOUBLE. NULL: skipped. Fewer than two values: NULL.

    transformation: window_stddev(amount, 30d)
"""

from __future__ import annotations

from sqlglot import exp

from fsync.language.transformations.base import Example, Operands, Transformation, in_double, over, windowed
from fsync.language.types import DOUBLE


def build(on: Operands) -> exp.Expr:
    return over(exp.StddevSamp(this=in_double(on.column)), on.frame)


STDDEV = Transformation(
    name="stddev",
    forms=windowed("stddev"),
    summary="The sample standard deviation of a numeric column.",
    build=build,
    result_type=lambda column: DOUBLE if column.is_number else None,
    takes="a number",
    example=Example("window_stddev(amount, 30d)", given=("1", "3", None, "5"), gives=2.0),
)
