"""Reads of one store, without any input or output of their own.

`Lookup.ask` is a generator: it yields the keys that it has to know, and is sent their values. The reader that drives
it fetches them, in a thread's time or in an event loop's; all else is here, once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cachetools import LRUCache

from fsync import wire
from fsync.errors import InputError, StoreOutOfReach
from fsync.reading import NOTHING_KNOWN, Batch, Known, Layer, Reading
from fsync.wire import Key, Meta, ServiceMeta, Value

#: how often a read starts again because a push has changed the view under it
_TRIES: Final = 100

#: what a lookup asks for, what it is sent, and what it comes to
Asking = Generator[list[str], Sequence[bytes | None], Batch]


#: an entity of a service: of one column its value; of views with different entities a mapping of column and value
ServiceKey = Key | Mapping[str, Any]


@dataclass(slots=True)
class _Cached:
    """An entity's items, the meta that they were read by, and the time after which they are read again."""

    known: Known
    #: None where there is no key
    items: list[tuple[int, dict[str, Value]]] | None
    until: float


@dataclass
class Lookup:
    """What is known of one store: the metas of its views, and the entities that were read lately.

    Every read that goes to the store reads the metas along, so that a new version or a push under way is seen; only
    what is cached is not looked at again, for `cache_seconds`.
    """

    layer: Layer
    prefix: str
    reads_at_once: bool
    cache_size: int = 0
    cache_seconds: float = 0.0
    _known: dict[str, Known] = field(default_factory=dict)
    _services: dict[str, tuple[bytes, ServiceMeta]] = field(default_factory=dict)
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
            known = [self._known.get(view, NOTHING_KNOWN) for view in views]
            cached = self._cached(views, known, keys, at, now)
            if cached is not None:
                return cached
            names = [of_view.keys(keys) for of_view in known]
            values, metas = yield from self._read(views, names)
            if self._is_still(views, known, metas):
                return self._batch(views, known, names, keys, values, at, now)
        raise StoreOutOfReach("the views are pushed again and again while they are read", "is one pushed in a loop?")

    def ask_service(self, service: str, keys: Sequence[ServiceKey], at: int | None, now: int) -> Asking:
        """Read the vectors of a service; see `ask`.

        Raises:
            InputError: when the service is not there, or a key does not have its entity columns.
        """
        key = wire.service_key(self.prefix, service)
        for _ in range(_TRIES):
            found = self._services.get(service)
            if found is None:
                (raw,) = yield [key]
                if raw is None:
                    mend = "`fsync push` brings services along with their views"
                    raise InputError(f"the service {service} was not pushed to this store, or has expired", mend)
                found = self._services[service] = raw, wire.decode_service(raw)
            raw, meta = found
            readings: dict[str, Sequence[Reading]] = {}
            metas: dict[str, Meta | None] = {}
            seen: set[bytes | None] = {raw}
            for columns, views in _by_entity(meta):
                of_views = yield from _along(self.ask(views, _entities(meta, columns, keys), at, now), key, seen)
                readings |= of_views.readings
                metas |= of_views.metas
            if seen == {raw}:
                return Batch(tuple(keys), readings, metas, meta)
            self._services.pop(service, None)  # it has another definition now
        raise StoreOutOfReach("the service is pushed again and again while it is read", "is one pushed in a loop?")

    def cached(self, view: str, key: Key, at: int | None, now: int) -> Reading | None:
        """An entity that was read lately; None for one that has to be read."""
        known = self._known.get(view)
        if known is None or known.meta is None:
            return None
        (name,) = known.keys((key,))
        with self._turn:
            found = self._cache.get(name)
        if found is None or found.known is not known or time.monotonic() >= found.until:
            return None
        instant = _instant(known, at, now)
        values = None if found.items is None else wire.holding(found.items, instant)
        copied = None if values is None else values.copy()
        return known.reading(view, key, instant, copied, found.items is not None, Layer.CACHE)

    def _cached(
        self, views: Sequence[str], known: Sequence[Known], keys: Sequence[Key], at: int | None, now: int
    ) -> Batch | None:
        """All entities of all views from the cache, or None: what is read together is of one moment."""
        if not self.cache_size or any(of_view.meta is None for of_view in known):
            return None
        readings: dict[str, list[Reading]] = {}
        for view in views:
            readings[view] = []
            for key in keys:
                if (reading := self.cached(view, key, at, now)) is None:
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

    def _is_still(self, views: Sequence[str], known: Sequence[Known], metas: Sequence[bytes | None]) -> bool:
        """Whether the metas are those that the read went by; else they are known now."""
        is_still = True
        for view, old, raw in zip(views, known, metas, strict=True):
            if old.raw != raw or view not in self._known:
                self._known[view] = Known.of(raw, self.prefix)
                is_still = is_still and raw is None and old.raw is None
        return is_still

    def _batch(
        self,
        views: Sequence[str],
        known: Sequence[Known],
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
            found = [value for _, value in zip(of_names, raw, strict=False)]
            held = self._holding(of_view, of_names, found, instant)
            readings[view] = of_view.readings(view, keys, instant, found, held, self.layer)
        return Batch(tuple(keys), readings, {view: one.meta for view, one in zip(views, known, strict=True)})

    def _holding(
        self, known: Known, names: Sequence[str], found: Sequence[bytes | None], at: int
    ) -> Sequence[dict[str, Value] | None]:
        """What holds of the values of keys; kept, where there is a cache."""
        if self.cache_size:
            return [self._kept(known, name, value, at) for name, value in zip(names, found, strict=True)]
        held: list[Any] = []
        for name, value in zip(names, found, strict=True):
            try:
                held.append(None if value is None else wire.parse_holding(value, at))
            except (ValueError, TypeError, LookupError) as error:
                raise _no_value(name) from error
        rows = [row for row in held if row is not None]
        try:
            typed = iter(known.typed(rows))
        except ValueError:
            for name, row in zip(names, held, strict=True):
                _check(known, name, row)
            raise
        return [None if row is None else next(typed) for row in held]

    def _kept(self, known: Known, name: str, value: bytes | None, at: int) -> dict[str, Value] | None:
        """What holds of one key's value; all of its items are kept."""
        items, values = None, None
        if value is not None:
            try:
                starts, rows = zip(*wire.parse(value), strict=True)
                items = list(zip(starts, known.typed(rows), strict=True))
                values = wire.holding(items, at)
            except (ValueError, TypeError) as error:
                raise _no_value(name) from error
        with self._turn:
            self._cache[name] = _Cached(known, items, time.monotonic() + self.cache_seconds)
        return None if values is None else values.copy()


def _by_entity(service: ServiceMeta) -> list[tuple[tuple[str, ...], list[str]]]:
    """Entity columns, and the views that have them."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for view in service.views:
        groups.setdefault(service.entities[view], []).append(view)
    return list(groups.items())


def _entities(service: ServiceMeta, columns: tuple[str, ...], keys: Sequence[ServiceKey]) -> list[Key]:
    """The keys of some of the service's views."""
    if all(not isinstance(key, Mapping) for key in keys) and len(set(service.entities.values())) == 1:
        return list(keys)
    entities = []
    for key in keys:
        if not isinstance(key, Mapping) or not key.keys() >= set(columns):
            raise InputError(
                f"a key of the service {service.name} has {' and '.join(service.columns)}, and not {key!r}"
            )
        values = tuple(key[column] for column in columns)
        entities.append(values[0] if len(values) == 1 else values)
    return entities


def _along(asking: Asking, key: str, seen: set[bytes | None]) -> Asking:
    """The same, with one key more in every question; its values go into `seen`."""
    try:
        wanted = next(asking)
        while True:
            *values, value = yield [*wanted, key]
            seen.add(value)
            wanted = asking.send(values)
    except StopIteration as end:
        batch: Batch = end.value
        return batch


def _check(known: Known, name: str, row: Sequence[Any] | None) -> None:
    try:
        known.typed([] if row is None else [row])
    except ValueError as error:
        raise _no_value(name) from error


def _no_value(name: str) -> InputError:
    return InputError(f"the store holds something else where {name} should be", "`fsync push --full` writes it anew")


def _instant(known: Known, at: int | None, now: int) -> int:
    """The instant asked for. A reader whose clock is behind the push reads as of the push."""
    if at is not None:
        return at
    return now if known.meta is None else max(now, known.meta.since)
