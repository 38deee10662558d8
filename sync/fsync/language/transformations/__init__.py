"""Every transformation, one file each. A new one is a file here and a line in `TRANSFORMATIONS`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fsync.language.transformations.avg import AVG
from fsync.language.transformations.base import Reach, Transformation
from fsync.language.transformations.count import COUNT
from fsync.language.transformations.count_distinct import COUNT_DISTINCT
from fsync.language.transformations.first import FIRST
from fsync.language.transformations.last import LAST
from fsync.language.transformations.latest import LATEST
from fsync.language.transformations.max import MAX
from fsync.language.transformations.median import MEDIAN
from fsync.language.transformations.min import MIN
from fsync.language.transformations.percentile import PERCENTILE
from fsync.language.transformations.stddev import STDDEV
from fsync.language.transformations.sum import SUM

__all__ = ["FORMS", "TRANSFORMATIONS", "Reach", "Transformation"]

TRANSFORMATIONS: Final = (
    COUNT,
    SUM,
    AVG,
    MIN,
    MAX,
    STDDEV,
    COUNT_DISTINCT,
    MEDIAN,
    PERCENTILE,
    FIRST,
    LAST,
    LATEST,
)

#: public name → (transformation, how far back it looks)
FORMS: Final[Mapping[str, tuple[Transformation, Reach]]] = {
    form: (transformation, reach) for transformation in TRANSFORMATIONS for form, reach in transformation.forms
}
