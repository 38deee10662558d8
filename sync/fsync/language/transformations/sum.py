"""`window_sum(column, 30d)`, `lifetime_sum(column)`: the sum of a column.

Input: a number. Result: of BIGINT, DECIMAL(38,0); of DECIMAL(p,s), DECIMAL(38,s), both exact, and an
error rather than a wrong sum where 38 digits are not enough; of DOUBLE, DOUBLE. NULL: skipped.
Empty window: 0.

    transformation: window_sum(amount, 30d)
"""

from __future__ import annotations

from decimal import Decimal

from sqlglot import exp

from fsync.language.transformations.base import Example, Operands, Transformation, total, windowed
from fsync.language.types import DOUBLE, MAX_PRECISION, SqlType, decimal


def build(on: Operands) -> exp.Expr:
    return exp.Coalesce(this=total(on), expressions=[exp.Literal.number(0)])


def result_type(column: SqlType) -> SqlType | None:
    if column == DOUBLE:
        return DOUBLE
    return decimal(MAX_PRECISION, column.scale or 0) if column.is_exact_number else None


SUM = Transformation(
    name="sum",
    forms=windowed("sum"),
    summary="The sum of a numeric column, 0 when there is nothing to add.",
    build=build,
    result_type=result_type,
    takes="a number",
    example=Example("window_sum(amount, 30d)", given=("1", "2.50", None), gives=Decimal("3.50")),
    is_zero_when_empty=True,
    is_additive=True,
)
