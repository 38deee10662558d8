"""`latest(column)`: the value of the newest event that has one.

Events at the same instant are ordered by the source's unique key, so the value never depends on the
order in which rows arrived.

Input: any type. Result: the same type. NULL: skipped, the newest value that is not NULL counts.
No value yet: NULL.

    transformation: latest(quantity)
"""

from __future__ import annotations

from sqlglot import exp

from fsync.language.transformations.base import Transformation, over


def build(column: exp.Expr, frame: exp.Expr) -> exp.Expr:
    return over(exp.IgnoreNulls(this=exp.LastValue(this=column)), frame)


LATEST = Transformation(
    name="latest",
    forms=(("latest", "latest"),),
    summary="The newest value of a column that is not NULL.",
    build=build,
    result_type=lambda column: column,
    takes="a column of any type",
)
