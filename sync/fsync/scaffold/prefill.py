"""What a new feature will likely say, from what the project says already: offers, never decisions."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

from sqlglot import exp

from fsync.check.governance.names import name_of, window_word
from fsync.language.types import BIGINT, DATE, UUID, VARCHAR
from fsync.scaffold.text import FeatureParts
from fsync.spec.catalog import Catalog
from fsync.spec.feature import Call
from fsync.spec.source import Column, Source
from fsync.spec.transformation import read_transformation

#: how fresh a feature is promised to be where no other says anything
_FRESHNESS: Final = "1d"
#: the types that can be a key, the likeliest first
_KEYS: Final = (BIGINT, UUID, VARCHAR, DATE)
_UNITS: Final = {"s": "second", "m": "minute", "h": "hour", "d": "day"}
_WORDS: Final = {
    "count": "Number of",
    "sum": "Sum of",
    "avg": "Mean of",
    "min": "Smallest",
    "max": "Largest",
    "stddev": "Standard deviation of",
    "count_distinct": "Number of different values of",
    "median": "Median of",
    "percentile": "Percentile",
    "first": "First",
    "last": "Last",
    "latest": "Newest",
}


def sources(catalog: Catalog) -> tuple[Source, ...]:
    """The sources that a feature can read: those with an event time, the most read first."""
    read = Counter(feature.source for feature in catalog.features)
    timed = (source for source in catalog.sources.values() if source.event_time is not None)
    return tuple(sorted(timed, key=lambda source: (-read[source.name], source.name)))


def entities(catalog: Catalog, source: Source) -> tuple[str, ...]:
    """The columns of a source that can be an entity, the likeliest first: those that are one, then `*_id`."""
    used = Counter(column for feature in catalog.features for column in feature.entity if feature.source == source.name)
    times = {(source.event_time or "").lower()}

    def rank(column: Column) -> tuple[object, ...]:
        is_key = column.name in source.unique_key
        kind = _KEYS.index(column.type) if column.type in _KEYS else len(_KEYS)
        return -used[column.name], is_key, not column.name.endswith("_id"), kind, column.name

    columns = (column for column in source.columns.values() if column.type in _KEYS and column.name not in times)
    return tuple(column.name for column in sorted(columns, key=rank))


def owners(catalog: Catalog, source: str | None = None) -> tuple[str, ...]:
    """Whom the project knows, by name: those of its policy, or who owns something; the source's own first."""
    own = Counter(feature.owner for feature in catalog.features if feature.source == source)
    named = [owner for owner in catalog.policy.owners or () if not set("*?[") & set(owner)]
    known = named or sorted({spec.owner for spec in catalog.specs})
    return tuple(sorted(known, key=lambda owner: -own[owner]))


def freshness(catalog: Catalog, source: str) -> str:
    """What most features of a source promise."""
    promised = [(feature.source, str(feature.freshness)) for feature in catalog.features if feature.freshness]
    words = [word for read, word in promised if read == source] or [word for _, word in promised]
    return Counter(words).most_common(1)[0][0] if words else _FRESHNESS


def name(template: str, parts: FeatureParts) -> str | None:
    """A name that follows the project's template; None for a derived feature, whose meaning nobody can guess.

    What cannot be read keeps its name: there is something else to say of it.
    """
    read = read_transformation(parts.transformation)
    call = read.call
    if call is None:
        return parts.name if read.faults else None
    what = "_".join(word for word in (_of(call, parts.source, "_"), _measure(call)) if word)
    entity = tuple(column.lower() for column in parts.entity)
    return _as_name(name_of(template, entity, window_word(call), what))


def description(parts: FeatureParts) -> str | None:
    """A sentence that says what a transformation computes; None for a derived feature."""
    call = read_transformation(parts.transformation).call
    if call is None:
        return None
    of = _of(call, parts.source, " and ") if call.column is not None else f"events of {parts.source}"
    words = _WORDS.get(call.transformation.name, f"{call.transformation.name} of")
    if call.fraction is not None:
        words = f"{words} {call.fraction:f} of"
    where = "" if parts.where is None else f", where {' '.join(parts.where.split())}"
    return f"{words} {of}{_reach(call)}{where}."


def _reach(call: Call) -> str:
    if call.window is None:
        return " so far" if call.reach == "lifetime" else ""
    number, unit = int(str(call.window)[:-1]), _UNITS[str(call.window)[-1]]
    return f" in the last {unit}" if number == 1 else f" in the last {number} {unit}s"


def _measure(call: Call) -> str:
    if call.fraction is not None:
        return f"p{call.fraction * 100:f}".rstrip("0").rstrip(".") if call.fraction else "p0"
    return "" if call.reach == "latest" else call.transformation.name


def _of(call: Call, source: str, joined_by: str) -> str:
    """The columns that are read, or without any the events themselves."""
    if call.column is None:
        return source.rpartition(".")[2]
    return joined_by.join(_unique(column.name for column in call.column.find_all(exp.Column))) or "value"


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(name.lower() for name in names))


def _as_name(text: str) -> str:
    """The nearest text that can be a name."""
    plain = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    return (plain if plain[:1].isalpha() else f"f_{plain}")[:100].rstrip("_")
