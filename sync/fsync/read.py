"""Reading features online: a store and the wire contract, nothing else.

    from fsync import read
    read("user_lifetime", 42)["user_lifetime_spend"]     # Decimal('38.32')

A service keeps a `Reader`, which holds on to its connection.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import TracebackType

from fsync import wire
from fsync.errors import InputError
from fsync.instant import Moment, now, to_milliseconds
from fsync.root import find_root
from fsync.store import Store, default_url, open_store
from fsync.wire import FeatureMeta, Key, Meta, Status, Value

__all__ = ["Reader", "Reading", "Status", "read"]


@dataclass(frozen=True)
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

    def __getitem__(self, feature: str) -> Value:
        return self.values[feature]

    @property
    def is_missing(self) -> bool:
        """Whether nothing at all could be read."""
        return all(status is Status.MISSING for status in self.status.values())


class Reader:
    """Reads features from one online store. Safe to share between threads.

    Args:
        store: a store's URL (see `fsync.store.open_store`) or an open store. Without one, `FSYNC_ONLINE`
            names it, or else it is the embedded store of the project around the current folder.
        prefix: the prefix of the deployment's keys; without one, `FSYNC_PREFIX` or `fs`.
    """

    def __init__(self, store: str | Store | None = None, *, prefix: str | None = None) -> None:
        if store is None:
            store = os.environ.get("FSYNC_ONLINE") or _embedded()
        self._store = open_store(store) if isinstance(store, str) else store
        self._prefix = prefix or os.environ.get("FSYNC_PREFIX") or wire.PREFIX

    def meta(self, view: str) -> Meta | None:
        """What was pushed last for a view; None when the view is missing."""
        (value,) = self._store.get([wire.meta_key(self._prefix, view)])
        return None if value is None else wire.decode_meta(value)

    def read(self, view: str, key: Key, *, at: Moment | None = None) -> Reading:
        """The features of one entity.

        Args:
            view: the name of a feature view.
            key: the entity: an int, str, UUID or date; a tuple for an entity of several columns.
            at: the instant asked for; without one, now.

        Raises:
            InputError: when the key is not one of the view's entity.
            StoreOutOfReach: when the store does not answer.
        """
        return self.read_many(view, [key], at=at)[0]

    def read_many(self, view: str, keys: Sequence[Key], *, at: Moment | None = None) -> list[Reading]:
        """The features of several entities, in the order of `keys`; see `read`."""
        asked = now() if at is None else to_milliseconds(at)
        meta = self.meta(view)
        if meta is None:
            return [Reading(view, key, asked, None, {}, {}) for key in keys]
        if at is None:
            # a reader whose clock is behind the push reads as of the push
            asked = max(asked, meta.since)
        texts = [wire.entity_text(key, meta.entity) for key in keys]
        values = self._store.get([wire.entity_key(self._prefix, meta.hash, view, text) for text in texts])
        return [_reading(meta, key, asked, value) for key, value in zip(keys, values, strict=True)]

    def close(self) -> None:
        self._store.close()

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def read(view: str, key: Key, *, at: Moment | None = None) -> Reading:
    """The features of one entity from the configured store; see `Reader.read`.

    The connection is kept for the next call with the same configuration.
    """
    store = os.environ.get("FSYNC_ONLINE") or _embedded()
    return _reader(store, os.environ.get("FSYNC_PREFIX") or wire.PREFIX).read(view, key, at=at)


@lru_cache(maxsize=8)
def _reader(store: str, prefix: str) -> Reader:
    return Reader(store, prefix=prefix)


def _embedded() -> str:
    root = find_root(Path.cwd())
    if root is None:
        raise InputError(
            "there is no online store to read from",
            "set FSYNC_ONLINE=redis://host:6379/0, or run inside a project that was pushed",
        )
    return default_url(root)


def _reading(meta: Meta, key: Key, at: int, value: bytes | None) -> Reading:
    values = _values(meta, at, value)
    if values is None:
        missing = {feature.name: Status.MISSING for feature in meta.features}
        return Reading(meta.view, key, at, meta.as_of, dict.fromkeys(missing), missing)
    pairs = list(zip(meta.features, values, strict=True))
    return Reading(
        view=meta.view,
        key=key,
        at=at,
        as_of=meta.as_of,
        values={feature.name: found for feature, found in pairs},
        status={feature.name: _status(meta, feature, found, at) for feature, found in pairs},
    )


def _values(meta: Meta, at: int, value: bytes | None) -> Sequence[Value] | None:
    """What holds as of `at`; None where the store does not know."""
    items = () if value is None else wire.decode(value, [feature.type for feature in meta.features])
    found = wire.holding(items, at)
    if found is not None:
        return found
    # of the time before its push a store knows only the row that was valid at it
    if at < meta.since or (value is None and not meta.sparse):
        return None
    return meta.empty


def _status(meta: Meta, feature: FeatureMeta, value: Value, at: int) -> Status:
    is_late = feature.freshness is not None and at - meta.as_of > feature.freshness + wire.TOLERANCE_MS
    if is_late or at > meta.horizon:
        return Status.STALE
    return Status.EMPTY if wire.same([value], [feature.empty]) else Status.OK
