"""`unknown-column`, `entity-type`: the entity is made of columns that can be a key everywhere."""

from __future__ import annotations

from collections.abc import Iterator

from fsync.language.suggest import which_columns
from fsync.language.types import BIGINT, DATE, UUID, VARCHAR
from fsync.spec.catalog import Catalog
from fsync.spec.issue import Issue


def entities_exist(catalog: Catalog) -> Iterator[Issue]:
    for feature in catalog.features:
        source = catalog.sources.get(feature.source)
        if source is None:
            continue
        place = feature.written.place("entity")
        if len(set(feature.entity)) < len(feature.entity):
            yield Issue("duplicate-name", "a column stands twice in the entity", place)
        for name in feature.entity:
            column = source.columns.get(name)
            if column is None:
                message = f"source {source.name} has no column {name!r}"
                yield Issue("unknown-column", message, place, which_columns(name, source.columns))
            elif column.type not in (BIGINT, VARCHAR, DATE, UUID):
                declared = column.declared or "no data_type"
                declared = declared if declared.isprintable() else repr(declared)
                message = f"an entity column is an integer, text, UUID or date, and {name!r} has {declared}"
                yield Issue("entity-type", message, place)
