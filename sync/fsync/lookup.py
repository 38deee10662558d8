"""Reads of one store, without any input or output of their own.

`Lookup.ask` is a generator: it yields the keys that it has to know, and is sent their values. The reader that drives
it fetches them, in a thread's time or in an event loop's; all else is here, once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Final

from cachetools import LRUCache

from fsync import wire
from fsync.errors import InputError, StoreOutOfReach
from fsync.reading import NOTHING_KNOWN, Batch, Known, Layer, Reading
from fsync.wire import Key, Value

#: how often a read starts again because a push has changed the view under it
_TRIES: Final = 100

#: what a lookup asks for, what it is sent, and what it comes to
Asking = Generator[list[str], Sequence[bytes | None], Batch]


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
            names = [[] if of_view.meta is None else [of_view.key(key) for key in keys] for of_view in known]
            values, metas = yield from self._read(views, names)
            if self._is_still(views, known, metas):
                return self._batch(views, known, names, keys, values, at, now)
        raise StoreOutOfReach("the views are pushed again and again while they are read", "is one pushed in a loop?")

    def cached(self, view: str, key: Key, at: int | None, now: int) -> Reading | None:
        """An entity that was read lately; None for one that has to be read."""
        known = self._known.get(view)
        if known is None or known.meta is None:
            return None
        name = known.key(key)
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

    def _holding(self, known: Known, name: str, value: bytes | None, at: int) -> dict[str, Value] | None:
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


def _instant(known: Known, at: int | None, now: int) -> int:
    """The instant asked for. A reader whose clock is behind the push reads as of the push."""
    if at is not None:
        return at
    return now if known.meta is None else max(now, known.meta.since)
