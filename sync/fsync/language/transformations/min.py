"""`window_min(column, 30d)`, `lifetime_min(column)`: the smallest value of a column.

Input: a number, text, date or timestamp. Result: the same type. Text is compared byte by byte in
UTF-8. NULL: skipped. Empty window: NULL.

    transformation: window_min(amount, 30d)
"""

from __future__ import annotations

from sqlglot import exp

from fsync.language.transformations.base import Transformation, over, windowed
from fsync.language.types import DATE, TIMESTAMP, VARCHAR, SqlType


def build(column: exp.Expr, frame: exp.Expr) -> exp.Expr:
    return over(exp.Min(this=column), frame)


def result_type(column: SqlType) -> SqlType | None:
    return column if column.is_number or column in (VARCHAR, DATE, TIMESTAMP) else None


MIN = Transformation(
    name="min",
    forms=windowed("min"),
    summary="The smallest value of a column.",
    build=build,
    result_type=result_type,
    takes="a number, text, date or timestamp",
)
