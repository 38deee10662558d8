"""`duplicate-name`, `reserved-name`: a feature's name is its own, and no name that tables need."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Final

from sqlglot import exp

from fsync.language.transformations.base import LEAVES
from fsync.spec.catalog import Catalog
from fsync.spec.feature import Feature
from fsync.spec.issue import Issue

#: the columns of every validity table beside entity and features
RESERVED: Final = ("valid_from", "valid_to")
#: the columns that the steps of its model need
EVENT_AT: Final = "event_at"
CHANGED_AT: Final = "changed_at"
IS_EVENT: Final = "is_event"
EVENT_NUMBER: Final = "event_number"
HAPPENED_AT: Final = "happened_at"
#: and names that macros/materializations/ uses beside an entity's: fingerprints are taken of whole rows of `events`
_BUILDING: Final = (
    "events",
    "changed_from",
    "settled",
    "recent",
    "settled_then",
    "recent_then",
    "settled_now",
    "recent_now",
)
STEPS: Final = (EVENT_AT, CHANGED_AT, IS_EVENT, EVENT_NUMBER, HAPPENED_AT, LEAVES, *_BUILDING)


@cache
def is_plain(name: str) -> bool:
    """Whether a name needs no quotes in SQL: it is not a word of the language."""
    return exp.to_identifier(name).sql(dialect="duckdb") == name


def names_are_free(catalog: Catalog) -> Iterator[Issue]:
    first: dict[str, Feature] = {}
    for feature in catalog.features:
        place = feature.written.place("name")
        if feature.name in first:
            other = first[feature.name].written.place("name")
            yield Issue(
                "duplicate-name",
                f"the feature {feature.name!r} is defined a second time",
                place,
                (f"it stands first in {other}",),
            )
        first.setdefault(feature.name, feature)
        if feature.name in RESERVED or feature.name in feature.entity:
            message = f"{feature.name!r} is already a column of the view {feature.view!r}"
            yield Issue("reserved-name", message, place, ("choose another name",))
        elif not is_plain(feature.name):
            message = f"{feature.name!r} is a word of SQL itself"
            yield Issue("reserved-name", message, place, ("choose another name",))
        for column in feature.entity:
            if column in (*RESERVED, *STEPS):
                message = f"the entity column {column!r} has the name of a column that every model needs"
                mend = "give it another name in a staging model"
                yield Issue("reserved-name", message, feature.written.place("entity"), (mend,))
            elif not is_plain(column):
                why = "is a word of SQL itself" if column.isidentifier() else "has a name that needs quotes in SQL"
                message = f"the entity column {column!r} {why}"
                mend = "give it another name in a staging model"
                yield Issue("reserved-name", message, feature.written.place("entity"), (mend,))
