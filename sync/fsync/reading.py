"""What a read says of its values: the logic of reading, without any input or output of its own.

`Source.ask` is a generator: it yields the keys that it has to know, and is sent their values. The reader that drives
it fetches them, in a thread's time or in an event loop's; all else is here, once.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from cachetools import LRUCache

from fsync import wire
from fsync.errors import InputError, StoreOutOfReach
from fsync.wire import Key, Meta, Value

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

#: how often a read starts again because a push has changed the view under it
_TRIES: Final = 100

#: what a source asks for, what it is sent, and what it comes to
Asking = Generator[list[str], Sequence[bytes | None], "Batch"]


class Status(StrEnum):
    """What a value that was read is worth."""

    OK = "ok"
    #: the feature is at its empty value: nothing happened in its window
    EMPTY = "empty"
    #: older than its freshness SLA and two minutes, or beyond the horizon of the last push
    STALE = "stale"
    #: the view was not pushed, its meta has expired, or it was pushed as of a later instant
    MISSING = "missing"


class Layer(StrEnum):
    """Where a reading comes from."""

    #: read from the online store a moment ago
    CACHE = "cache"
    ONLINE = "online"
    #: the persistent copy, since the online store does not answer
    SNAPSHOT = "snapshot"


@dataclass(slots=True)
class Reading:
    """The features of one entity as of an instant.

    `values` and `status` have the features in the order of the view; both are empty where the view is
    missing altogether. A value whose status is `missing` is None, one that is `stale` is the last known.
    `at` and `as_of` are epoch milliseconds: the instant that was asked for, and the one up to which the
    last push knew all events (None where the view is missing).
    """

    view: str
    key: Key
    at: int
    as_of: int | None
    values: dict[str, Value]
    layer: Layer
    _known: _Known = field(repr=False, compare=False)
    _is_known: bool = field(default=True, repr=False, compare=False)

    def __getitem__(self, feature: str) -> Value:
        return self.values[feature]

    @property
    def status(self) -> dict[str, Status]:
        """What each value is worth."""
        if not self._is_known:
            return dict.fromkeys(self.values, Status.MISSING)
        return self._known.status(self.values, self.at)

    @property
    def is_missing(self) -> bool:
        """Whether nothing at all could be read."""
        return not self._is_known or self.as_of is None


@dataclass(frozen=True)
class Batch:
    """The features of several entities from one or several views, as of one instant.

    `readings` has for each view one reading an entity, in the order of `keys`; `metas` what each view's readings
    were read by, None for a view that is missing.
    """

    keys: tuple[Key, ...]
    readings: Mapping[str, Sequence[Reading]]
    metas: Mapping[str, Meta | None]

    def to_dicts(self) -> list[dict[str, Value]]:
        """One dict of feature and value for each entity, the views' features one after another."""
        merged: list[dict[str, Value]] = [{} for _ in self.keys]
        for readings in self.readings.values():
            for into, reading in zip(merged, readings, strict=True):
                into |= reading.values
        return merged

    def to_arrow(self) -> pa.Table:
        """One column for each feature, of its type (UUIDs are text, timestamps milliseconds without a zone)."""
        import pyarrow as pa

        columns: dict[str, pa.Array] = {}
        for view, meta in self.metas.items():
            for feature in meta.features if meta is not None else ():
                values = (reading.values[feature.name] for reading in self.readings[view])
                plain = [str(value) if feature.type.name == "uuid" and value is not None else value for value in values]
                columns[feature.name] = pa.array(plain, _arrow_type(feature.type))
        return pa.table(columns)

    def to_numpy(self) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
        """A matrix of DOUBLE, one row an entity and one column a feature, in the order of the views and their features.

        NULL is NaN, true 1 and false 0.

        Raises:
            InputError: for a feature that is no number and no boolean.
        """
        import numpy as np

        features = [
            (view, feature) for view, meta in self.metas.items() if meta is not None for feature in meta.features
        ]
        for _, feature in features:
            if not (feature.type.is_number or feature.type.name == "boolean"):
                raise InputError(f"{feature.name} is {feature.type}: it has no place in a matrix of numbers")
        matrix = np.full((len(self.keys), len(features)), math.nan)
        for column, (view, feature) in enumerate(features):
            for row, reading in enumerate(self.readings[view]):
                value = reading.values[feature.name]
                matrix[row, column] = math.nan if value is None else float(value)
        return matrix


def _arrow_type(kind: Any) -> pa.DataType:
    import pyarrow as pa

    if kind.name == "decimal":
        return pa.decimal128(kind.precision, kind.scale)
    names = {
        "bigint": pa.int64(),
        "double": pa.float64(),
        "boolean": pa.bool_(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("ms"),
    }
    return names.get(kind.name, pa.string())


# ---------------------------------------------------------------- what is known of a view


@dataclass(frozen=True)
class _Known:
    """A meta as it was read, and what follows from it for every reading."""

    raw: bytes | None
    meta: Meta | None
    names: tuple[str, ...] = ()
    #: what stands around an entity in its key
    before: str = ""
    after: str = ""
    #: the features whose values are more than JSON has
    converted: tuple[tuple[str, Callable[[Any], Value]], ...] = ()
    #: the instant after which each feature is stale, and the first of them
    ends: Mapping[str, float] = field(default_factory=dict)
    first_end: float = math.inf
    empty: Mapping[str, Value] = field(default_factory=dict)

    @classmethod
    def of(cls, raw: bytes | None, prefix: str) -> _Known:
        if raw is None:
            return cls(None, None)
        meta = wire.decode_meta(raw)
        before, after = wire.around_entity(prefix, meta.view, meta.hash)
        ends = {feature.name: min(meta.horizon, _end(meta, feature)) for feature in meta.features}
        return cls(
            raw=raw,
            meta=meta,
            names=tuple(feature.name for feature in meta.features),
            before=before,
            after=after,
            converted=tuple(
                (feature.name, convert)
                for feature in meta.features
                if (convert := wire.CONVERTERS.get(feature.type.name)) is not None
            ),
            ends=ends,
            first_end=min(ends.values(), default=math.inf),
            empty={feature.name: feature.empty for feature in meta.features},
        )

    def typed(self, plain: Sequence[Any]) -> dict[str, Value]:
        """Features by name, of what JSON has. Raises ValueError for what are no values of the features."""
        try:
            values = dict(zip(self.names, plain, strict=True))
            for name, convert in self.converted:
                if (value := values[name]) is not None:
                    values[name] = convert(value)
        except (TypeError, KeyError, AttributeError, ArithmeticError) as error:
            raise ValueError("not a value of the view's features") from error
        return values

    def status(self, values: Mapping[str, Value], at: int) -> dict[str, Status]:
        # a feature's values are all of one type, so that equal is the same
        empty = self.empty
        worth = {name: Status.EMPTY if value == empty[name] else Status.OK for name, value in values.items()}
        if at > self.first_end:
            worth |= {name: Status.STALE for name, end in self.ends.items() if at > end}
        return worth

    def reading(
        self, view: str, key: Key, at: int, values: dict[str, Value] | None, is_there: bool, layer: Layer
    ) -> Reading:
        """What an entity's values say: None before its first item, or where it has no key (then it is not there)."""
        meta = self.meta
        if meta is None:
            return Reading(view, key, at, None, {}, layer, self)
        if values is None:
            # of the time before its push a store knows only the row that was valid at it
            if at < meta.since or not (is_there or meta.sparse):
                return Reading(view, key, at, meta.as_of, dict.fromkeys(self.names), layer, self, False)
            values = dict(self.empty)
        return Reading(view, key, at, meta.as_of, values, layer, self)


def _end(meta: Meta, feature: wire.FeatureMeta) -> float:
    """The instant after which a feature is older than its SLA."""
    return math.inf if feature.freshness is None else meta.as_of + feature.freshness + wire.TOLERANCE_MS


_MISSING: Final = _Known(None, None)


# ---------------------------------------------------------------- one store


@dataclass(slots=True)
class _Cached:
    """An entity's items, the meta that they were read by, and the time after which they are read again."""

    known: _Known
    #: None where there is no key
    items: list[tuple[int, dict[str, Value]]] | None
    until: float


@dataclass
class Source:
    """What is known of one store: the metas of its views, and the entities that were read lately.

    Every read that goes to the store reads the metas along, so that a new version or a push under way is seen; only
    what is cached is not looked at again, for `cache_seconds`.
    """

    layer: Layer
    prefix: str
    reads_at_once: bool
    cache_size: int = 0
    cache_seconds: float = 0.0
    _known: dict[str, _Known] = field(default_factory=dict)
    _cache: LRUCache[str, _Cached] = field(init=False)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._cache = LRUCache(max(1, self.cache_size))

    def ask(self, views: Sequence[str], keys: Sequence[Key], at: int | None, now: int) -> Asking:
        """Read entities; see `Asking`. `at` None is now, or the push when it is later.

        Raises:
            InputError: when a key is not one of a view's entity, or the store holds something else than a push wrote.
        """
        for _ in range(_TRIES):
            known = [self._known.get(view, _MISSING) for view in views]
            names = [_names(of_view, keys) for of_view in known]
            cached = self._cached(views, known, names, keys, at, now)
            if cached is not None:
                return cached
            values, metas = yield from self._read(views, names)
            if self._is_still(views, known, metas):
                return self._batch(views, known, names, keys, values, at, now)
        raise StoreOutOfReach("the views are pushed again and again while they are read", "is one pushed in a loop?")

    def cached(self, view: str, key: Key, at: int | None, now: int) -> Reading | None:
        """An entity that was read lately; None for one that has to be read."""
        known = self._known.get(view)
        if known is None or known.meta is None:
            return None
        name = f"{known.before}{wire.entity_text(key, known.meta.entity)}{known.after}"
        with self._turn:
            found = self._cache.get(name)
        if found is None or found.known is not known or time.monotonic() >= found.until:
            return None
        instant = _instant(known, at, now)
        values = None if found.items is None else wire.holding(found.items, instant)
        copied = None if values is None else values.copy()
        return known.reading(view, key, instant, copied, found.items is not None, Layer.CACHE)

    def _cached(
        self,
        views: Sequence[str],
        known: Sequence[_Known],
        names: Sequence[Sequence[str]],
        keys: Sequence[Key],
        at: int | None,
        now: int,
    ) -> Batch | None:
        """All entities of all views from the cache, or None: what is read together is of one moment."""
        if not self.cache_size or any(view not in self._known for view in views):
            return None
        readings: dict[str, list[Reading]] = {}
        for view, of_view in zip(views, known, strict=True):
            if of_view.meta is None:
                return None
            readings[view] = []
            for key in keys:
                reading = self.cached(view, key, at, now)
                if reading is None:
                    return None
                readings[view].append(reading)
        return Batch(tuple(keys), readings, {view: one.meta for view, one in zip(views, known, strict=True)})

    def _read(
        self, views: Sequence[str], names: Sequence[Sequence[str]]
    ) -> Generator[list[str], Sequence[bytes | None], tuple[Sequence[bytes | None], Sequence[bytes | None]]]:
        """Read entities first and metas last: what was read before a meta that has not changed belongs to it."""
        entities = [name for of_view in names for name in of_view]
        metas = [wire.meta_key(self.prefix, view) for view in views]
        if self.reads_at_once or not entities:
            read = yield entities + metas
            return read[: len(entities)], read[len(entities) :]
        values = yield entities
        return values, (yield metas)

    def _is_still(self, views: Sequence[str], known: Sequence[_Known], metas: Sequence[bytes | None]) -> bool:
        """Whether the metas are those that the read went by; else they are known now."""
        is_still = True
        for view, old, raw in zip(views, known, metas, strict=True):
            if old.raw != raw or view not in self._known:
                self._known[view] = _Known.of(raw, self.prefix)
                is_still = is_still and raw is None and old.raw is None
        return is_still

    def _batch(
        self,
        views: Sequence[str],
        known: Sequence[_Known],
        names: Sequence[Sequence[str]],
        keys: Sequence[Key],
        values: Sequence[bytes | None],
        at: int | None,
        now: int,
    ) -> Batch:
        readings: dict[str, list[Reading]] = {}
        raw = iter(values)
        for view, of_view, of_names in zip(views, known, names, strict=True):
            instant = _instant(of_view, at, now)
            if of_view.meta is None:
                readings[view] = [of_view.reading(view, key, instant, None, False, self.layer) for key in keys]
                continue
            readings[view] = [
                of_view.reading(
                    view, key, instant, self._holding(of_view, name, value, instant), value is not None, self.layer
                )
                for key, name, value in zip(keys, of_names, raw, strict=False)
            ]
        return Batch(tuple(keys), readings, {view: one.meta for view, one in zip(views, known, strict=True)})

    def _holding(self, known: _Known, name: str, value: bytes | None, at: int) -> dict[str, Value] | None:
        """What holds of a key's value; kept, where there is a cache."""
        try:
            items = None if value is None else wire.parse(value)
            if not self.cache_size:
                plain = None if items is None else wire.holding(items, at)
                return None if plain is None else known.typed(plain)
            typed = None if items is None else [(start, known.typed(plain)) for start, plain in items]
        except (ValueError, TypeError) as error:
            raise InputError(f"the store holds something else where {name} should be: {error}") from error
        with self._turn:
            self._cache[name] = _Cached(known, typed, time.monotonic() + self.cache_seconds)
        values = None if typed is None else wire.holding(typed, at)
        return None if values is None else values.copy()


def _names(known: _Known, keys: Sequence[Key]) -> Sequence[str]:
    """The store's keys of entities; none where nothing is known of the view."""
    if known.meta is None:
        return ()
    before, after, entity = known.before, known.after, known.meta.entity
    return [f"{before}{wire.entity_text(key, entity)}{after}" for key in keys]


def _instant(known: _Known, at: int | None, now: int) -> int:
    """The instant asked for. A reader whose clock is behind the push reads as of the push."""
    if at is not None:
        return at
    return now if known.meta is None else max(now, known.meta.since)
