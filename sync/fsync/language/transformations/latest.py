"""`latest(column)`: the value of the newest event that has one, however long ago that was.

With `ttl: 30d` in its spec, the value is NULL again 30 days after its event. Events at the same instant are
ordered by the source's unique key, so the value never depends on the order in which rows arrived.

Input: any type. Result: the same type. NULL: skipped, the newest value that is not NULL counts.
No value yet, or none within the ttl: NULL.

    transformation: latest(quantity)
"""

from __future__ import annotations

from fsync.language.transformations.base import Example, Transformation
from fsync.language.transformations.last import build

LATEST = Transformation(
    name="latest",
    forms=(("latest", "latest"),),
    summary="The newest value of a column that is not NULL, for ever or for as long as a ttl says.",
    build=build,
    result_type=lambda column: column,
    takes="a column of any type",
    example=Example("latest(quantity)", given=(3, 5, None), gives=5, type="bigint"),
    is_ordered=True,
)
