"""`wrong-arguments`: `every`, `ttl` and `scale` stand where they mean something."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from fsync.check.expressions import source_type
from fsync.language.types import DOUBLE
from fsync.spec.catalog import Catalog
from fsync.spec.feature import Feature, Scalar
from fsync.spec.issue import Issue
from fsync.spec.source import Source


def grains_fit(catalog: Catalog) -> Iterator[Issue]:
    for feature in catalog.features:
        yield from _windows_are_multiples(feature)
        if feature.ttl is not None and (feature.call is None or feature.call.reach != "latest"):
            mend = "leave it away; a window says itself how long an event counts"
            yield Issue("wrong-arguments", "only latest(…) has a ttl", feature.written.place("ttl"), (mend,))
        if feature.scale is not None:
            yield from _scale_is_of_double(feature, catalog.sources.get(feature.source))


def _windows_are_multiples(feature: Feature) -> Iterator[Issue]:
    """With a granularity, an event enters and leaves at its multiples: a window between them has no meaning."""
    if feature.every is None or feature.call is None or feature.call.window is None:
        return
    if feature.call.window.milliseconds % feature.every.milliseconds:
        key = "ttl" if feature.call.reach == "latest" else "transformation"
        message = f"{feature.call.window} is not a multiple of the granularity, every {feature.every}"
        mend = "make it one, or leave `every` away: values are then exact to the millisecond"
        yield Issue("wrong-arguments", message, feature.written.place(key), (mend,))


def _scale_is_of_double(feature: Feature, source: Source | None) -> Iterator[Issue]:
    column: exp.Expr | None = None if feature.call is None else feature.call.column
    if source is None:
        return
    found = None
    if column is not None:
        found = source_type(feature, Scalar(feature.expression.text, column), source)[0]
        if found is None:
            return  # told by the check of expressions
    if found != DOUBLE:
        message = f"scale quantises a DOUBLE, and {'this reads none' if found is None else f'this reads a {found}'}"
        yield Issue("wrong-arguments", message, feature.written.place("scale"), ("leave it away",))
