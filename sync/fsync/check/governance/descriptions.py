"""`missing-description`: a feature or a service says in a sentence what it is."""

from __future__ import annotations

from collections.abc import Iterator

from fsync.spec.catalog import Catalog
from fsync.spec.issue import Issue


def features_are_described(catalog: Catalog) -> Iterator[Issue]:
    for spec in catalog.specs:
        if spec.description is None:
            message = f"{spec.name!r} has no description"
            notes = ("say what it is and in which unit: `description: …`",)
            yield Issue("missing-description", message, spec.written.place("name"), notes)
