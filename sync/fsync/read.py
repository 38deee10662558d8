"""Reading features online: a store and the wire contract, nothing else.

    from fsync import read
    read("user_lifetime", 42)["user_lifetime_spend"]     # Decimal('38.32')

A service keeps a `Reader`, which holds on to its connections, or an `AsyncReader` in an event loop.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Final

from fsync import wire
from fsync.errors import InputError, StoreOutOfReach
from fsync.instant import Moment, now, to_milliseconds
from fsync.lookup import Asking, Lookup, ServiceKey
from fsync.reading import Batch, Layer, Reading, Status
from fsync.root import find_root
from fsync.store import AsyncStore, Store, default_url, open_async_store, open_store
from fsync.wire import Key, Meta, ServiceMeta

__all__ = ["AsyncReader", "Batch", "Layer", "Reader", "Reading", "Status", "read"]

#: how long a reader with a snapshot leaves an online store alone that does not answer, in seconds
_REST: Final = 1.0


@dataclass(frozen=True)
class _Settings:
    """What a reader reads from; see `Reader`."""

    online: str | None
    snapshot: str | None
    prefix: str
    cache: int
    cache_seconds: float

    @classmethod
    def of(
        cls,
        store: str | None,
        snapshot: str | None,
        prefix: str | None,
        cache: int | None,
        cache_seconds: float | None,
        *,
        is_open: bool = False,
    ) -> _Settings:
        """The settings that were given; FSYNC_… variables for those that were not."""
        # who opens a store means this one alone
        variables: Mapping[str, str] = {} if is_open else os.environ
        snapshot = snapshot or variables.get("FSYNC_SNAPSHOT") or None
        online = store or variables.get("FSYNC_ONLINE") or None
        if online is None and not is_open:
            online = _embedded()
        return cls(
            online=online,
            snapshot=snapshot,
            prefix=prefix or variables.get("FSYNC_PREFIX") or wire.PREFIX,
            cache=int(_number(variables, "FSYNC_CACHE", 0) if cache is None else cache),
            cache_seconds=_number(variables, "FSYNC_CACHE_SECONDS", 1.0) if cache_seconds is None else cache_seconds,
        )


class _Layers:
    """A reader's lookups, the online store's first, and when it may be tried again."""

    def __init__(self, settings: _Settings, reads_at_once: bool) -> None:
        self.online = Lookup(Layer.ONLINE, settings.prefix, reads_at_once, settings.cache, settings.cache_seconds)
        self.snapshot = None if settings.snapshot is None else Lookup(Layer.SNAPSHOT, settings.prefix, True)
        self._rests_until = 0.0

    @property
    def is_resting(self) -> bool:
        return self.snapshot is not None and time.monotonic() < self._rests_until

    def failed(self, error: StoreOutOfReach) -> None:
        """Leave the online store alone for a while; raises the error where there is nothing else to read from."""
        if self.snapshot is None:
            raise error
        self._rests_until = time.monotonic() + _REST

    def cached(self, view: str, key: Key, at: Moment | None) -> Reading | None:
        """An entity that this process has read lately."""
        if not self.online.cache_size:
            return None
        return self.online.cached(view, key, None if at is None else to_milliseconds(at), now())


class Reader:
    """Reads features from one online store. Safe to share between threads.

    Args:
        store: a store's URL (see `fsync.store.open_store`) or an open store, for which no variable counts. Without one,
            `FSYNC_ONLINE` names it, or else it is the embedded store of the project around the current folder.
        prefix: the prefix of the deployment's keys; without one, `FSYNC_PREFIX` or `fs`.
        snapshot: the URL of a SQLite store that `fsync push --snapshot` keeps, to read from while the online store
            does not answer; without one, `FSYNC_SNAPSHOT`, or none.
        cache: how many entities are kept in this process (each of each view); 0 for none. Without it `FSYNC_CACHE`,
            or none.
        cache_seconds: how long they are kept, and so how late a push may be seen. Without it
            `FSYNC_CACHE_SECONDS`, or 1.
    """

    def __init__(
        self,
        store: str | Store | None = None,
        *,
        prefix: str | None = None,
        snapshot: str | None = None,
        cache: int | None = None,
        cache_seconds: float | None = None,
    ) -> None:
        is_open = store is not None and not isinstance(store, str)
        url = store if isinstance(store, str) else None
        settings = _Settings.of(url, snapshot, prefix, cache, cache_seconds, is_open=is_open)
        self._store: Store = store if is_open else open_store(settings.online or "")  # type: ignore[assignment]
        self._snapshot = None if settings.snapshot is None else open_store(settings.snapshot)
        self._layers = _Layers(settings, self._store.reads_at_once)

    def meta(self, view: str) -> Meta | None:
        """What was pushed last for a view; None when the view is missing."""
        return self.read_batch([view], []).metas[view]

    def read(self, view: str, key: Key, *, at: Moment | None = None) -> Reading:
        """The features of one entity.

        Args:
            view: the name of a feature view.
            key: the entity: an int, str, UUID or date; a tuple for an entity of several columns.
            at: the instant asked for; without one, now.

        Raises:
            InputError: when the key is not one of the view's entity.
            StoreOutOfReach: when the store does not answer, and there is no snapshot.
        """
        if (reading := self._layers.cached(view, key, at)) is not None:
            return reading
        return self.read_batch((view,), (key,), at=at).readings[view][0]

    def read_many(self, view: str, keys: Sequence[Key], *, at: Moment | None = None) -> list[Reading]:
        """The features of several entities, in the order of `keys`; see `read`."""
        return list(self.read_batch((view,), keys, at=at).readings[view])

    def read_batch(self, views: Sequence[str], keys: Sequence[Key], *, at: Moment | None = None) -> Batch:
        """Several views of several entities, in one round trip to the store; see `read` and `Batch`.

        The first read of a view takes a second one, and so does the first after it was pushed. A Redis Cluster is
        asked twice: for the values, and whether a push has changed them meanwhile.
        """
        instant = None if at is None else to_milliseconds(at)
        return self._ask(lambda lookup: lookup.ask(views, keys, instant, now()))

    def service(self, service: str) -> ServiceMeta:
        """The definition of a feature service; see `read_service` for the errors."""
        found = self.read_service(service, []).service
        assert found is not None  # a batch of a service has it
        return found

    def read_service(self, service: str, keys: Sequence[ServiceKey], *, at: Moment | None = None) -> Batch:
        """The vectors of a feature service, one an entity, in the order and types of its training set.

        Args:
            service: its name. `fsync push` brings it along with its views.
            keys: entities, as for `read`. Where the views of the service have different entities, mappings such as
                {"user_id": 42, "merchant_id": 7}.
            at: the instant asked for; without one, now.

        Raises:
            InputError: when the service is not there, or a key does not have its entity columns.
            StoreOutOfReach: when the store does not answer, and there is no snapshot.
        """
        instant = None if at is None else to_milliseconds(at)
        return self._ask(lambda lookup: lookup.ask_service(service, keys, instant, now()))

    def _ask(self, ask: Callable[[Lookup], Asking]) -> Batch:
        layers = self._layers
        if not layers.is_resting:
            try:
                return _driven(ask(layers.online), self._store)
            except StoreOutOfReach as error:
                layers.failed(error)
        assert layers.snapshot is not None
        assert self._snapshot is not None
        return _driven(ask(layers.snapshot), self._snapshot)

    def close(self) -> None:
        self._store.close()
        if self._snapshot is not None:
            self._snapshot.close()

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class AsyncReader:
    """A `Reader` for an event loop: the same arguments, and the same methods to be awaited."""

    def __init__(
        self,
        store: str | None = None,
        *,
        prefix: str | None = None,
        snapshot: str | None = None,
        cache: int | None = None,
        cache_seconds: float | None = None,
    ) -> None:
        settings = _Settings.of(store, snapshot, prefix, cache, cache_seconds)
        self._store: AsyncStore = open_async_store(settings.online or "")
        self._snapshot = None if settings.snapshot is None else open_async_store(settings.snapshot)
        self._layers = _Layers(settings, self._store.reads_at_once)

    async def meta(self, view: str) -> Meta | None:
        return (await self.read_batch([view], [])).metas[view]

    async def read(self, view: str, key: Key, *, at: Moment | None = None) -> Reading:
        if (reading := self._layers.cached(view, key, at)) is not None:
            return reading
        return (await self.read_batch((view,), (key,), at=at)).readings[view][0]

    async def read_many(self, view: str, keys: Sequence[Key], *, at: Moment | None = None) -> list[Reading]:
        return list((await self.read_batch((view,), keys, at=at)).readings[view])

    async def read_batch(self, views: Sequence[str], keys: Sequence[Key], *, at: Moment | None = None) -> Batch:
        instant = None if at is None else to_milliseconds(at)
        return await self._ask(lambda lookup: lookup.ask(views, keys, instant, now()))

    async def service(self, service: str) -> ServiceMeta:
        found = (await self.read_service(service, [])).service
        assert found is not None
        return found

    async def read_service(self, service: str, keys: Sequence[ServiceKey], *, at: Moment | None = None) -> Batch:
        instant = None if at is None else to_milliseconds(at)
        return await self._ask(lambda lookup: lookup.ask_service(service, keys, instant, now()))

    async def _ask(self, ask: Callable[[Lookup], Asking]) -> Batch:
        layers = self._layers
        if not layers.is_resting:
            try:
                return await _awaited(ask(layers.online), self._store)
            except StoreOutOfReach as error:
                layers.failed(error)
        assert layers.snapshot is not None
        assert self._snapshot is not None
        return await _awaited(ask(layers.snapshot), self._snapshot)

    async def close(self) -> None:
        await self._store.close()
        if self._snapshot is not None:
            await self._snapshot.close()

    async def __aenter__(self) -> AsyncReader:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()


def _driven(asking: Asking, store: Store) -> Batch:
    try:
        keys = next(asking)
        while True:
            keys = asking.send(store.get(keys))
    except StopIteration as end:
        batch: Batch = end.value
        return batch


async def _awaited(asking: Asking, store: AsyncStore) -> Batch:
    try:
        keys = next(asking)
        while True:
            keys = asking.send(await store.get(keys))
    except StopIteration as end:
        batch: Batch = end.value
        return batch


def read(view: str, key: Key, *, at: Moment | None = None) -> Reading:
    """The features of one entity from the configured store; see `Reader.read`.

    The connection is kept for the next call with the same configuration.
    """
    return _reader(_Settings.of(None, None, None, None, None)).read(view, key, at=at)


@lru_cache(maxsize=8)
def _reader(settings: _Settings) -> Reader:
    return Reader(
        settings.online,
        prefix=settings.prefix,
        snapshot=settings.snapshot,
        cache=settings.cache,
        cache_seconds=settings.cache_seconds,
    )


def _embedded() -> str:
    root = find_root(Path.cwd())
    if root is None:
        raise InputError(
            "there is no online store to read from",
            "set FSYNC_ONLINE=redis://host:6379/0, or run inside a project that was pushed",
        )
    return default_url(root)


def _number(variables: Mapping[str, str], name: str, default: float) -> float:
    text = variables.get(name)
    try:
        return default if not text else float(text)
    except ValueError:
        raise InputError(f"{name} is {text!r}, and should be a number") from None
