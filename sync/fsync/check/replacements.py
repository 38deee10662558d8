"""`unknown-feature`: what a deprecated feature names in its place exists, and is another one."""

from __future__ import annotations

from collections.abc import Iterator

from fsync.language.suggest import did_you_mean
from fsync.spec.catalog import Catalog
from fsync.spec.issue import Issue


def replacements_exist(catalog: Catalog) -> Iterator[Issue]:
    names = {feature.name for feature in catalog.features} | catalog.unread
    for feature in catalog.features:
        use = feature.deprecated.use if feature.deprecated is not None else None
        if use is not None and use not in names - {feature.name}:
            place = feature.written.document.place((*feature.written.path("deprecated"), "use"))
            message = f"there is no other feature {use!r} to use instead of {feature.name!r}"
            yield Issue("unknown-feature", message, place, did_you_mean(use, names - {feature.name}))
