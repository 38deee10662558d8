"""What the features of a catalog mean, whatever they are called and however they are spelled."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from fsync.check.expressions import feature_types
from fsync.meaning import meanings
from fsync.spec.catalog import Catalog


@lru_cache(maxsize=1)
def feature_meanings(catalog: Catalog) -> Mapping[str, str]:
    """The meaning of every feature of a catalog without faults, by its name. Of the last catalog it is kept."""
    types = feature_types(catalog)
    found: dict[str, str] = {}
    for view in catalog.by_view().values():
        found |= meanings(view, catalog.sources[view[0].source], types)
    return found
