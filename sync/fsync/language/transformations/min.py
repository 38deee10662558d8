"""`window_min(column, 30d)`, `lifetime_min(column)`: the smallest value of a column.

Input: a number, text, date or timestamp. Result: the same type. Text is compared byte by byte in
UTF-8. NULL: skipped. Empty window: NULL.

    transformation: window_min(amount, 30d)
"""

from __future__ import annotations

from decimal import Decimal

from sqlglot import exp

from fsync.language.transformations.base import Example, Operands, Transformation, comparable, over, windowed


def build(on: Operands) -> exp.Expr:
    return over(exp.Min(this=on.column.copy()), on.frame)


MIN = Transformation(
    name="min",
    forms=windowed("min"),
    summary="The smallest value of a column.",
    build=build,
    result_type=comparable,
    takes="a number, text, date or timestamp",
    example=Example("window_min(amount, 30d)", given=("2.50", None, "-1"), gives=Decimal("-1.00")),
)
