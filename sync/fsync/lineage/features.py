"""What features read and show, and of which classes their values are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from sqlglot import exp

from fsync.lineage.columns import Upstream
from fsync.lineage.query import parts_shown
from fsync.spec.catalog import Catalog
from fsync.spec.feature import Feature

#: from what is asked about to what is declared to be of a class, as text: ("people.email", "crm.customers.email")
Way = tuple[str, ...]


def columns_of_feature(feature: Feature) -> Mapping[str, bool]:
    """The columns of its source, or for a derived feature the features, that a feature reads.

    Each with whether its value can be seen in that of the feature: not where it is counted or only chosen by.
    """
    found: dict[str, bool] = {}
    if feature.where is not None:
        found |= dict.fromkeys(_names(feature.where.node), False)
    call = feature.call
    node = feature.expression.node if call is None else call.column
    can_show = call is None or call.transformation.exposes
    for part, shown in parts_shown(node) if node is not None else ():
        name = part.name.lower()
        found[name] = found.get(name, False) or (shown and can_show)
    return found


def _names(node: exp.Expr) -> Iterable[str]:
    return (column.name.lower() for column in node.find_all(exp.Column))


@lru_cache(maxsize=1)
def upstream_of(catalog: Catalog) -> Upstream:
    """What stands before the features of a catalog. Of the last catalog it is kept."""
    return Upstream(catalog.sources, catalog.models)


@lru_cache(maxsize=1)
def exposures_of(catalog: Catalog) -> Mapping[str, Mapping[str, Way]]:
    """For every feature, the classes that its value shows values of, each with the way there.

    What its spec says of itself is not asked; what the specs of features that it is derived from say is. Features that
    are derived from each other in a circle show nothing: that is told elsewhere.
    """
    upstream, views = upstream_of(catalog), catalog.by_view()
    found: dict[str, Mapping[str, Way]] = {}

    def shown(feature: Feature, of_view: Mapping[str, Feature]) -> Mapping[str, Way]:
        if feature.name not in found:
            found[feature.name] = {}
            classes: dict[str, Way] = {}
            for name, is_seen in sorted(columns_of_feature(feature).items()):
                if not is_seen:
                    continue
                if feature.call is not None:
                    ways = upstream.classes((feature.source, name))
                    below = {key: tuple(f"{table}.{column}" for table, column in way) for key, way in ways.items()}
                elif name in of_view:
                    below = {key: (name, *way) for key, way in effective(of_view[name], of_view).items()}
                else:
                    below = {}
                classes = {**below, **classes}
            found[feature.name] = classes
        return found[feature.name]

    def effective(feature: Feature, of_view: Mapping[str, Feature]) -> Mapping[str, Way]:
        """What a feature is of: what its spec says, and what its value shows unless its spec gives a reason."""
        cleared = declassified(feature)
        seen = {key: way for key, way in shown(feature, of_view).items() if key not in cleared}
        return {**dict.fromkeys(feature.classification, _NOWHERE), **seen}

    for view in views.values():
        of_view = {feature.name: feature for feature in view}
        for feature in view:
            shown(feature, of_view)
    return found


def declassified(feature: Feature) -> frozenset[str]:
    """The classes that its spec says, with a reason, that its value is not of."""
    return frozenset(feature.declassify.classes if feature.declassify is not None else ())


_NOWHERE: Final[Way] = ()
