"""`window_first(column, 30d)`, `lifetime_first(column)`: the value of the oldest event that has one.

Events at the same instant are ordered by the source's unique key, so the value never depends on the
order in which rows arrived.

Input: any type. Result: the same type. NULL: skipped, the oldest value that is not NULL counts. Empty
window: NULL.

    transformation: window_first(channel, 30d)
"""

from __future__ import annotations

from sqlglot import exp

from fsync.language.transformations import base
from fsync.language.transformations.base import Example, Operands, Transformation, over, windowed


def build(on: Operands) -> exp.Expr:
    return over(base.call(base.FIRST, on.column, on.order), on.frame)


FIRST = Transformation(
    name="first",
    forms=windowed("first"),
    summary="The oldest value of a column that is not NULL.",
    build=build,
    result_type=lambda column: column,
    takes="a column of any type",
    example=Example("window_first(channel, 30d)", given=(None, "web", "shop"), gives="web", type="varchar"),
    is_ordered=True,
)
