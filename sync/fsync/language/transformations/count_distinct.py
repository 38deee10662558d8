"""`window_count_distinct(column, 30d)`, `lifetime_count_distinct(column)`: how many different values there were.

Exact, not an estimate. Two texts are the same when their bytes are.

Input: any type but DOUBLE, whose nearly equal values are no two things. Result: BIGINT. NULL: not counted.
Empty window: 0.

    transformation: window_count_distinct(product_id, 30d)
"""

from __future__ import annotations

from sqlglot import exp

from fsync.language.transformations.base import Example, Operands, Transformation, over, windowed
from fsync.language.types import BIGINT, DOUBLE


def build(on: Operands) -> exp.Expr:
    distinct = exp.Distinct(expressions=[on.column.copy()])
    return over(exp.Count(this=distinct, big_int=True), on.frame)


COUNT_DISTINCT = Transformation(
    name="count_distinct",
    forms=windowed("count_distinct"),
    summary="The number of different non-null values of a column.",
    build=build,
    result_type=lambda column: None if column == DOUBLE else BIGINT,
    takes="a column of any type but double",
    example=Example("window_count_distinct(amount, 30d)", given=("1", "2", None, "1"), gives=2),
    is_zero_when_empty=True,
    exposes=False,
)
