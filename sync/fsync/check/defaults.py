"""`type-mismatch`: a default is a value of its feature's type."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from fsync.check.expressions import feature_types
from fsync.language.portable import is_time
from fsync.language.types import BIGINT, BOOLEAN, DATE, DOUBLE, TIMESTAMP, VARCHAR, SqlType
from fsync.spec.catalog import Catalog
from fsync.spec.feature import Default
from fsync.spec.issue import Issue


def defaults_fit(catalog: Catalog) -> Iterator[Issue]:
    types = feature_types(catalog)
    for feature in catalog.features:
        kind = types.get(feature.name)
        if feature.is_zero_when_empty and feature.default:
            message = f"{feature.name} is 0 for an empty window, and never NULL: a default cannot apply"
            yield Issue("wrong-arguments", message, feature.written.place("default"), ("leave it away",))
        elif feature.default is not None and kind is not None and not _fits(feature.default, kind):
            written = json.dumps(feature.default) if isinstance(feature.default, bool) else repr(feature.default)
            message = (
                f"the default{f' {written}' * (len(written) <= 40)} is not a value of {feature.name}, which is {kind}"
            )
            yield Issue("type-mismatch", message, feature.written.place("default"), (_how_to_write(kind),))


def _how_to_write(kind: SqlType) -> str:
    """What a value of a type looks like in YAML."""
    if kind.precision is not None and kind.scale is not None:
        whole = kind.precision - kind.scale
        return f"a {kind} has at most {whole} digits before the point and {kind.scale} behind it"
    return _WRITTEN.get(kind, f"a feature of type {kind} takes no default")


_WRITTEN: Final = {
    BIGINT: "a bigint is a whole number from -2^63 to 2^63 - 1",
    DOUBLE: "a double is a number such as 0.5",
    BOOLEAN: "a boolean is true or false, without quotes",
    VARCHAR: "a varchar is a text: put it in quotes",
    DATE: "a date is a day such as 1997-01-31",
    TIMESTAMP: "a timestamp is written '1997-01-31 12:00:00'",
}


def _fits(value: Default, kind: SqlType) -> bool:
    if isinstance(value, bool):
        return kind == BOOLEAN
    if isinstance(value, str):
        return kind == VARCHAR or (kind in (DATE, TIMESTAMP) and is_time(value, kind))
    try:
        number = Decimal(str(value))
        is_finite = number.is_finite() and math.isfinite(float(value))
    except (OverflowError, ValueError):  # more digits than Python prints, or than a DOUBLE has room for
        return False
    if not is_finite:
        return False
    if kind == BIGINT:
        return number == number.to_integral_value() and -(2**63) <= number < 2**63
    if kind.precision is not None and kind.scale is not None:
        _, digits, exponent = number.normalize().as_tuple()
        assert isinstance(exponent, int)  # finite
        return -exponent <= kind.scale and len(digits) + exponent <= kind.precision - kind.scale
    return kind == DOUBLE
