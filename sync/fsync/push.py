"""Offline to online: the values of a view as of an instant, and the changes known to come, into a store.

What is in the store already is compared with what should be: unchanged values are left alone but for their
time to live, and entities that have gone or are empty lose their key.

The meta is written last, in one step. A new version of a view has keys of its own, so a reader sees the old
version or the new one, never a mixture. A push of the same version changes keys that are being read: its meta
is first narrowed to what old and new keys both answer for, so that a push that is cut off serves no wrong value.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby, islice
from operator import itemgetter
from typing import Final, TypeVar

import pyarrow as pa

from fsync import wire
from fsync.errors import InputError
from fsync.instant import END, to_milliseconds, to_text
from fsync.language.duration import Duration
from fsync.plan import View
from fsync.sql.empty import empty_values
from fsync.store import Store
from fsync.warehouse.duckdb import Table, Warehouse

DEFAULT_HORIZON: Final = Duration(2 * 86_400_000)
#: how long a view outlives its horizon, and its values outlive its meta
GRACE_MS: Final = 86_400_000

_CHUNK: Final = 1_000

#: called with the number of entities that are done and all there are
Progress = Callable[[int, int], None]
#: an entity and its changes
Row = tuple[wire.Key, list[wire.Item]]

_T = TypeVar("_T")


@dataclass(frozen=True)
class PushReport:
    """What one push of a view did. Instants are epoch milliseconds.

    `entities` have a row in the warehouse. Of the keys that the store should hold, `written` are new or
    changed and `unchanged` were there already; `deleted` are those it should not hold any more.
    """

    view: str
    hash: str
    as_of: int
    horizon: int
    entities: int
    written: int
    unchanged: int
    deleted: int
    seconds: float
    dry_run: bool


def push_view(
    view: View,
    warehouse: Warehouse,
    store: Store,
    *,
    as_of: int | None = None,
    horizon: Duration = DEFAULT_HORIZON,
    prefix: str = wire.PREFIX,
    sparse: bool = True,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> PushReport:
    """Make a store hold a view.

    Args:
        view: what its specs say it is; the table must be of this version.
        as_of: the instant whose values are pushed; without one, when the table's build began.
        horizon: how far after `as_of` the changes that are already known go along.
        prefix: the prefix of the deployment's keys.
        sparse: whether entities at their empty values get no key.
        dry_run: count, and write nothing.

    Raises:
        NotBuilt: when the table is missing or of another version.
        InputError: when `as_of` is later than the build; or when the store may drop keys on its own, and a
            missing key would mean empty values.
        StoreOutOfReach: when the store does not answer.
    """
    started = time.monotonic()
    table = warehouse.table(view)
    if sparse:
        _refuse_eviction(store)
    as_of = _known_instant(table, as_of)
    until = min(as_of + horizon.milliseconds, END)
    meta_ttl = horizon.milliseconds + GRACE_MS
    writer = _Writer(store, meta_ttl + GRACE_MS, dry_run)
    meta = _meta(view, as_of, until, sparse)
    if not dry_run:
        _narrow(store, meta, prefix)
    # every key of the version that is there and that no entity claims is deleted in the end
    unclaimed = {
        key for key in store.scan(prefix, view.name) if wire.view_of_key(prefix, key) == (view.name, view.hash)
    }
    entities, done = warehouse.entities(view, table) if progress else 0, 0
    rows = _entities(warehouse.changes(view, table, as_of, until), len(view.entity))
    for chunk in _chunks(rows):
        values = dict(_keyed(chunk, meta, prefix))
        unclaimed -= values.keys()
        writer.write(values)
        done += len(chunk)
        if progress is not None:
            progress(done, max(entities, done))
    writer.delete(unclaimed)
    if not dry_run:
        meta = replace(meta, rows=writer.written + writer.unchanged)
        store.put([(wire.meta_key(prefix, view.name), wire.encode_meta(meta))], meta_ttl)
    return PushReport(
        view=view.name,
        hash=view.hash,
        as_of=as_of,
        horizon=until,
        entities=done,
        written=writer.written,
        unchanged=writer.unchanged,
        deleted=writer.deleted,
        seconds=time.monotonic() - started,
        dry_run=dry_run,
    )


def _refuse_eviction(store: Store) -> None:
    if (reason := store.evicts()) is not None:
        raise InputError(
            f"{store.name} may drop keys on its own: {reason}. A missing key would then be read as empty values",
            "set its maxmemory-policy to noeviction, or push with --store-empty",
        )


def _known_instant(table: Table, as_of: int | None) -> int:
    """The instant to push, which the table must know all about."""
    if as_of is None:
        return table.built_at
    if as_of > table.built_at:
        raise InputError(
            f"the table of {table.view} was built at {to_text(table.built_at)}, and knows nothing of the time until "
            f"{to_text(as_of)}",
            "push as of an earlier instant, or build first",
        )
    return as_of


class _Writer:
    """Writes what differs from what is there, and counts."""

    def __init__(self, store: Store, ttl: int, dry_run: bool) -> None:
        self._store = store
        self._ttl = ttl
        self._dry_run = dry_run
        self.written = self.unchanged = self.deleted = 0

    def write(self, values: dict[str, bytes]) -> None:
        there = self._store.get(list(values))
        same = [key for key, old in zip(values, there, strict=True) if old == values[key]]
        # a key can expire between being read and being extended; then it is written after all
        gone = [] if self._dry_run else self._store.extend(same, self._ttl)
        unchanged = set(same) - set(gone)
        changed = [(key, value) for key, value in values.items() if key not in unchanged]
        if not self._dry_run:
            self._store.put(changed, self._ttl)
        self.written += len(changed)
        self.unchanged += len(unchanged)

    def delete(self, keys: Iterable[str]) -> None:
        for chunk in _chunks(iter(sorted(keys))):
            if not self._dry_run:
                self._store.delete(chunk)
            self.deleted += len(chunk)


def _narrow(store: Store, meta: wire.Meta, prefix: str) -> None:
    """Let the meta that is there promise only what its own push and this one both keep."""
    key = wire.meta_key(prefix, meta.view)
    (there,) = store.get([key])
    if there is None or (old := wire.decode_meta(there)).hash != meta.hash:
        return
    narrowed = replace(
        old,
        as_of=min(old.as_of, meta.as_of),
        since=max(old.since, meta.since),
        horizon=min(old.horizon, meta.horizon),
        sparse=old.sparse and meta.sparse,
    )
    if narrowed != old:
        store.replace(key, wire.encode_meta(narrowed))


def _meta(view: View, as_of: int, horizon: int, sparse: bool) -> wire.Meta:
    return wire.Meta(
        view=view.name,
        hash=view.hash,
        entity=tuple((column.name, column.type) for column in view.entity if column.type is not None),
        features=tuple(
            wire.FeatureMeta(
                name=planned.name,
                type=planned.type,
                empty=empty,
                freshness=planned.feature.freshness.milliseconds if planned.feature.freshness else None,
                classification=planned.feature.classification,
            )
            for planned, empty in zip(view.features, empty_values(view), strict=True)
        ),
        as_of=as_of,
        since=as_of,
        horizon=horizon,
        rows=0,  # counted while they are written
        sparse=sparse,
    )


def _keyed(rows: Iterable[Row], meta: wire.Meta, prefix: str) -> Iterator[tuple[str, bytes]]:
    """The keys and values of entities, without those that need none."""
    types = [feature.type for feature in meta.features]
    for key, items in rows:
        if meta.sparse and wire.is_empty(items, meta.empty):
            continue
        text = wire.entity_text(key, meta.entity)
        yield wire.entity_key(prefix, meta.hash, meta.view, text), wire.encode(items, types)


def _entities(batches: Iterable[pa.RecordBatch], width: int) -> Iterator[Row]:
    """Rows sorted by entity, gathered entity by entity across batches."""
    rows = (row for batch in batches for row in zip(*(column.to_pylist() for column in batch.columns), strict=True))
    for key, changes in groupby(rows, key=itemgetter(slice(0, width))):
        yield key, [(to_milliseconds(row[width]), row[width + 1 :]) for row in changes]


def _chunks(items: Iterator[_T]) -> Iterator[list[_T]]:
    while chunk := list(islice(items, _CHUNK)):
        yield chunk
