"""What a read says of its values: the logic of reading, without any input or output of its own.

`Source.ask` is a generator: it yields the keys that it has to know, and is sent their values. The reader that drives
it fetches them, in a thread's time or in an event loop's; all else is here, once.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Generator, Mapping, Sequence
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


@dataclass(frozen=True, slots=True)
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
    values: Mapping[str, Value]
    status: Mapping[str, Status]
    layer: Layer

    def __getitem__(self, feature: str) -> Value:
        return self.values[feature]

    @property
    def is_missing(self) -> bool:
        """Whether nothing at all could be read."""
        return all(status is Status.MISSING for status in self.status.values())


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
    #: the instant after which each feature is stale, and the first of them
    ends: tuple[float, ...] = ()
    first_end: float = math.inf

    @classmethod
    def of(cls, raw: bytes | None) -> _Known:
        if raw is None:
            return cls(None, None)
        meta = wire.decode_meta(raw)
        ends = tuple(
            min(
                meta.horizon,
                math.inf if feature.freshness is None else meta.as_of + feature.freshness + wire.TOLERANCE_MS,
            )
            for feature in meta.features
        )
        return cls(raw, meta, tuple(feature.name for feature in meta.features), ends, min(ends, default=math.inf))


_MISSING: Final = _Known(None, None)


def _reading(known: _Known, view: str, key: Key, at: int, items: Sequence[wire.Item] | None, layer: Layer) -> Reading:
    """What an entity's items say; None for an entity without a key."""
    meta = known.meta
    if meta is None:
        return Reading(view, key, at, None, {}, {}, layer)
    values = None if items is None else wire.holding(items, at)
    if values is None:
        # of the time before its push a store knows only the row that was valid at it
        if at < meta.since or (items is None and not meta.sparse):
            missing = dict.fromkeys(known.names, Status.MISSING)
            return Reading(view, key, at, meta.as_of, dict.fromkeys(known.names), missing, layer)
        values = meta.empty
    return Reading(
        view, key, at, meta.as_of, dict(zip(known.names, values, strict=True)), _status(known, meta, values, at), layer
    )


def _status(known: _Known, meta: Meta, values: Sequence[Value], at: int) -> dict[str, Status]:
    # a feature's values are all of one type, so that equal is the same
    worth = [Status.EMPTY if value == empty else Status.OK for value, empty in zip(values, meta.empty, strict=True)]
    if at > known.first_end:
        worth = [Status.STALE if at > end else status for status, end in zip(worth, known.ends, strict=True)]
    return dict(zip(known.names, worth, strict=True))


# ---------------------------------------------------------------- one store


@dataclass
class _Cached:
    """An entity's items, the meta that they were read by, and the time after which they are read again."""

    known: _Known
    items: Sequence[wire.Item] | None
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
            known = {view: self._known.get(view, _MISSING) for view in views}
            names = {view: self._names(known[view], view, keys) for view in views}
            items, unread = self._cached(known, names)
            if not unread:
                return self._batch(views, keys, at, now, known, names, items, Layer.CACHE)
            read = yield from self._read(views, unread)
            if all(self._known.get(view) is known[view] for view in views):
                items |= self._decoded(known, names, read)
                return self._batch(views, keys, at, now, known, names, items, self.layer)
        raise StoreOutOfReach("the views are pushed again and again while they are read", "is one pushed in a loop?")

    def _names(self, known: _Known, view: str, keys: Sequence[Key]) -> list[str]:
        """The store's keys of entities; none where nothing is known of the view."""
        meta = known.meta
        if meta is None:
            return []
        before, after = wire.around_entity(self.prefix, view, meta.hash)
        return [f"{before}{wire.entity_text(key, meta.entity)}{after}" for key in keys]

    def _cached(
        self, known: Mapping[str, _Known], names: Mapping[str, list[str]]
    ) -> tuple[dict[str, Sequence[wire.Item] | None], list[str]]:
        """The items that need not be read, and the keys that have to be; the views' metas, too, when there are any."""
        if not self.cache_size:
            return {}, [
                *(name for view in names for name in names[view]),
                *(wire.meta_key(self.prefix, v) for v in known),
            ]
        items: dict[str, Sequence[wire.Item] | None] = {}
        unread = []
        moment = time.monotonic()
        with self._turn:
            for view, of_view in names.items():
                for name in of_view:
                    found = self._cache.get(name)
                    if found is not None and found.known is known[view] and moment < found.until:
                        items[name] = found.items
                    else:
                        unread.append(name)
        if unread or any(view not in self._known for view in known):
            unread += [wire.meta_key(self.prefix, view) for view in known]
        return items, unread

    def _read(
        self, views: Sequence[str], unread: list[str]
    ) -> Generator[list[str], Sequence[bytes | None], dict[str, bytes | None]]:
        """Read entities first and metas last: what was read before a meta that has not changed belongs to it."""
        entities = len(unread) - len(views)
        if self.reads_at_once or not entities:
            read = yield unread
        else:
            first = yield unread[:entities]
            last = yield unread[entities:]
            read = [*first, *last]
        for view, raw in zip(views, read[entities:], strict=True):
            old = self._known.get(view)
            if old is None or old.raw != raw:
                self._known[view] = _Known.of(raw)
        return dict(zip(unread, read, strict=True))

    def _decoded(
        self, known: Mapping[str, _Known], names: Mapping[str, list[str]], read: Mapping[str, bytes | None]
    ) -> dict[str, Sequence[wire.Item] | None]:
        items: dict[str, Sequence[wire.Item] | None] = {}
        for view, of_view in names.items():
            meta = known[view].meta
            for name in of_view:
                if meta is None or name not in read:
                    continue
                value = read[name]
                try:
                    items[name] = None if value is None else wire.decode(value, meta.types)
                except ValueError as error:
                    raise InputError(f"the store holds something else where {name} should be: {error}") from error
                if self.cache_size:
                    with self._turn:
                        self._cache[name] = _Cached(known[view], items[name], time.monotonic() + self.cache_seconds)
        return items

    def _batch(
        self,
        views: Sequence[str],
        keys: Sequence[Key],
        at: int | None,
        now: int,
        known: Mapping[str, _Known],
        names: Mapping[str, list[str]],
        items: Mapping[str, Sequence[wire.Item] | None],
        layer: Layer,
    ) -> Batch:
        readings = {}
        for view in views:
            meta = known[view].meta
            # a reader whose clock is behind the push reads as of the push
            instant = at if at is not None else now if meta is None else max(now, meta.since)
            of_view = names[view] or [""] * len(keys)
            readings[view] = [
                _reading(known[view], view, key, instant, items.get(name), layer)
                for key, name in zip(keys, of_view, strict=True)
            ]
        return Batch(tuple(keys), readings, {view: known[view].meta for view in views})
