"""`missing-classification`: a feature says of which classes its values are, if only of none."""

from __future__ import annotations

from collections.abc import Iterator

from fsync.spec.catalog import Catalog
from fsync.spec.issue import Issue


def features_are_classed(catalog: Catalog) -> Iterator[Issue]:
    for feature in catalog.features:
        if not feature.is_classed:
            message = f"{feature.name!r} does not say whether it is personal"
            notes = ("say `pii: false` or `pii: true`, or `classification: [pii, pci]`",)
            yield Issue("missing-classification", message, feature.written.place("name"), notes)
