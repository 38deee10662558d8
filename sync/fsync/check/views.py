"""`view-conflict`: the features of a view share entity, source and granularity, and its name is free."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from fsync.spec.catalog import Catalog
from fsync.spec.feature import Feature
from fsync.spec.issue import Issue

#: beside a view's table stands its ledger (macros/materializations/ledger.sql)
LEDGER_SUFFIX: Final = "__ledger"


def views_agree(catalog: Catalog) -> Iterator[Issue]:
    first: dict[str, Feature] = {}
    names = catalog.by_view().keys()
    for feature in catalog.features:
        place = feature.written.place("view" if feature.written.has("view") else "name")
        if feature.view in catalog.sources:
            message = f"the view {feature.view!r} would have the name of a model that exists"
            yield Issue("view-conflict", message, place, ("give it another name with `view:`",))
        ledger_of = feature.view.removesuffix(LEDGER_SUFFIX)
        if ledger_of != feature.view and ledger_of in names:
            message = f"the view {feature.view!r} would have the name of the ledger of {ledger_of!r}"
            yield Issue("view-conflict", message, place, ("give it another name with `view:`",))
        other = first.setdefault(feature.view, feature)
        if _grain(feature) != _grain(other):
            message = (
                f"the view {feature.view!r} is already one of {_grain(other)}, "
                f"and {feature.name!r} is of {_grain(feature)}"
            )
            mend = f"features of one view share all of that ({other.name!r} was first); name another view"
            yield Issue("view-conflict", message, place, (mend,))


def _grain(feature: Feature) -> str:
    every = "" if feature.every is None else f" every {feature.every}"
    return f"({', '.join(feature.entity)}) from {feature.source}{every}"
