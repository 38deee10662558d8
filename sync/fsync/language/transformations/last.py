"""`window_last(column, 30d)`, `lifetime_last(column)`: the value of the newest event that has one.

Events at the same instant are ordered by the source's unique key, so the value never depends on the
order in which rows arrived. `lifetime_last` is `latest`.

Input: any type. Result: the same type. NULL: skipped, the newest value that is not NULL counts. Empty
window: NULL.

    transformation: window_last(channel, 30d)
"""

from __future__ import annotations

from sqlglot import exp

from fsync.language.transformations import base
from fsync.language.transformations.base import Example, Operands, Transformation, over, windowed


def build(on: Operands) -> exp.Expr:
    return over(base.call(base.LAST, on.column, on.order), on.frame)


LAST = Transformation(
    name="last",
    forms=windowed("last"),
    summary="The newest value of a column that is not NULL.",
    build=build,
    result_type=lambda column: column,
    takes="a column of any type",
    example=Example("window_last(channel, 30d)", given=("web", "shop", None), gives="shop", type="varchar"),
    is_ordered=True,
)
