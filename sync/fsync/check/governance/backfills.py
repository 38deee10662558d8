"""`missing-backfill`: once a model learns from a feature, it is known from when on its values can be trusted."""

from __future__ import annotations

from collections.abc import Iterator

from fsync.spec.catalog import Catalog
from fsync.spec.issue import Issue


def backfills_are_documented(catalog: Catalog) -> Iterator[Issue]:
    reader: dict[str, str] = {}
    for service in catalog.services:
        for name in service.features:
            reader.setdefault(name, service.name)
    for feature in catalog.features:
        if feature.name in reader and feature.backfill is None:
            message = (
                f"{feature.name!r} is read by {reader[feature.name]}, and does not say from when on it can be trusted"
            )
            notes = ("say `backfill: {from: 2024-01-01, note: why then}`",)
            yield Issue("missing-backfill", message, feature.written.place("name"), notes)
