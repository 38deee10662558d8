"""`duplicate-feature`: two features that mean the same, whatever they are called and however they are spelled.

Nothing is wrong with the values, but somebody has them already.
"""

from __future__ import annotations

from collections.abc import Iterator

from fsync.check.meanings import feature_meanings
from fsync.spec.catalog import Catalog
from fsync.spec.feature import Feature
from fsync.spec.issue import Issue


def meanings_differ(catalog: Catalog) -> Iterator[Issue]:
    """One finding for every feature that means the same as one before it, in any file and any view."""
    for feature, other in duplicates(catalog):
        yield Issue(
            "duplicate-feature",
            f"{feature.name!r} means the same as {other.name!r}",
            feature.written.place("transformation"),
            (f"{other.name!r} stands in {other.written.place('transformation')}", _whom_to_ask(feature, other)),
        )


def duplicates(catalog: Catalog) -> Iterator[tuple[Feature, Feature]]:
    """Every feature that means the same as one before it, with the first of them, in reading order."""
    meant = feature_meanings(catalog)
    first: dict[tuple[object, ...], Feature] = {}
    for feature in catalog.features:
        # of which events and whose: the order of an entity's columns says nothing about the value
        events = (feature.source, frozenset(feature.entity), feature.every)
        other = first.setdefault((*events, meant[feature.name]), feature)
        if other is not feature:
            yield feature, other


def _whom_to_ask(feature: Feature, other: Feature) -> str:
    if feature.owner == other.owner:
        return f"both are owned by {other.owner}: keep one of them"
    return f"owned by {other.owner}: use theirs, or talk to them first"
