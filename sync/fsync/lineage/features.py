"""Of which classes the values of features are, and how they come to be so."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from fsync.lineage.columns import Upstream
from fsync.spec.catalog import Catalog

#: from what is asked about to what is declared to be of a class, as text: ("people.email", "crm.customers.email")
Way = tuple[str, ...]


@lru_cache(maxsize=1)
def upstream_of(catalog: Catalog) -> Upstream:
    """What stands before the features of a catalog. Of the last catalog it is kept."""
    views = {view: {feature.name: feature for feature in features} for view, features in catalog.by_view().items()}
    return Upstream(catalog.sources, catalog.models, views)


@lru_cache(maxsize=1)
def exposures_of(catalog: Catalog) -> Mapping[str, Mapping[str, Way]]:
    """For every feature, the classes that its value shows values of, each with the way there.

    What its spec says of itself is not asked; what the specs of features that it is derived from say is. Features that
    are derived from each other in a circle show nothing: that is told elsewhere.
    """
    upstream = upstream_of(catalog)

    def text(table: str, column: str) -> str:
        return column if column in upstream.views.get(table, {}) else f"{table}.{column}"

    return {
        feature.name: {
            name: tuple(text(*step) for step in way[1:])
            for name, way in upstream.shown((feature.view, feature.name)).items()
        }
        for feature in catalog.features
    }
