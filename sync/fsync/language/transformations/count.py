"""`window_count(30d)`, `window_count(column, 30d)`, `lifetime_count()`, `lifetime_count(column)`.

How many events there were; with a column, how many of them had a value in it.

Input: any type, or no column. Result: BIGINT. NULL: not counted. Empty window: 0.

    transformation: window_count(30d)
"""

from __future__ import annotations

from fsync.language.transformations.base import Example, Transformation, number, windowed
from fsync.language.types import BIGINT

COUNT = Transformation(
    name="count",
    forms=windowed("count"),
    summary="The number of events, or of non-null values of a column.",
    build=number,
    result_type=lambda _column: BIGINT,
    takes="a column of any type",
    example=Example("window_count(amount, 30d)", given=("1", "1", None), gives=2),
    is_zero_when_empty=True,
    column_is_optional=True,
    is_additive=True,
    exposes=False,
)
