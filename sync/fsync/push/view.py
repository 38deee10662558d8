"""One view into one store: its values as of an instant, and the changes that are known to come.

A push is a difference: the warehouse makes the values and compares them with what the store is known to hold, and
only what differs is sent, in Arrow batches, while the next are made. What is unchanged is left alone but for its
time to live, now and then.

The meta is written last, in one step. A new version of a view has keys of its own, so a reader sees the old
version or the new one, never a mixture. A push of the same version changes keys that are being read: its meta
is first narrowed to what old and new keys both answer for, so that a push that is cut off serves no wrong value.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fsync import pushed, wire
from fsync.aim import GRACE_MS, Aim
from fsync.errors import InputError
from fsync.instant import now
from fsync.language.duration import Duration
from fsync.lease import Lease
from fsync.plan import View
from fsync.pushed import Pushed
from fsync.store import Store
from fsync.warehouse.duckdb import BATCH, Warehouse

DEFAULT_HORIZON: Final = Duration(2 * 86_400_000)

#: batches that are sent at a time, and those that wait for it
_SENDERS: Final = 2
_WAITING: Final = 3

#: called with the number of keys that are done, and all there may be where that is known
Progress = Callable[[int, int | None], None]


@dataclass(frozen=True)
class PushReport:
    """What one push of a view did to a store, or would do. Instants are epoch milliseconds.

    Of the keys that the store holds after it, `new` were not there, `changed` had another value, and `unchanged` had
    this one already, of which `extended` got a new time to live. `deleted` keys are not there any more.
    """

    store: str
    view: str
    hash: str
    as_of: int
    horizon: int
    new: int
    changed: int
    unchanged: int
    extended: int
    deleted: int
    seconds: float
    dry_run: bool

    @property
    def written(self) -> int:
        return self.new + self.changed

    @property
    def keys(self) -> int:
        """How many keys the store holds."""
        return self.written + self.unchanged


def push_view(
    view: View,
    warehouse: Warehouse,
    store: Store,
    *,
    record: Path | None = None,
    as_of: int | None = None,
    horizon: Duration = DEFAULT_HORIZON,
    prefix: str = wire.PREFIX,
    sparse: bool = True,
    full: bool = False,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> PushReport:
    """Make a store hold a view.

    Args:
        view: what its specs say it is; the table must be of this version.
        record: a folder that keeps what was pushed of this version into this store (`fsync.pushed.folder_of`);
            without one the store is read each time.
        as_of: the instant whose values are pushed; without one, when the table's build began.
        horizon: how far after `as_of` the changes that are already known go along.
        prefix: the prefix of the deployment's keys.
        sparse: whether entities at their empty values get no key.
        full: write every value anew, whatever the store is thought to hold.
        dry_run: count, and write nothing.

    Raises:
        NotBuilt: when the table is missing or of another version.
        InputError: when `as_of` is later than the build; or when the store may drop keys on its own, and a
            missing key would mean empty values.
        PushUnderWay: when another push of the view has the lease.
        StoreOutOfReach: when the store does not answer. What was served is served on, for the instants that old
            and new values both answer for.
    """
    started = time.monotonic()
    table = warehouse.table(view)
    if sparse:
        _refuse_eviction(store)
    aim = Aim.of(view, table, as_of, horizon, prefix, sparse=sparse)
    tell = progress or (lambda _done, _all: None)
    extended = 0
    with pushed.scratch(None if dry_run else record) as scratch:
        if dry_run:
            counts = _would(warehouse, aim, _known(store, aim, record, scratch, full), tell)
        else:
            with Lease(store, prefix, view.name) as lease:
                _cut_off(store, aim)
                began = now()
                known = _known(store, aim, record, scratch, full)
                if full or not known.keys:  # each key is written, and lives as long as it can
                    known = replace(known, lives_until=began + aim.key_ttl)
                known, extended = _extended(store, lease, aim, known, scratch, began + aim.key_ttl)
                counts, held = _made_so(warehouse, store, lease, aim, known, scratch, tell)
                _switched(store, lease, aim, held.keys)
                if record is not None:
                    pushed.remember(record, lease.push, store, held)
    return PushReport(
        store=store.name,
        view=view.name,
        hash=view.hash,
        as_of=aim.meta.as_of,
        horizon=aim.meta.horizon,
        new=counts.new,
        changed=counts.changed,
        unchanged=counts.known - counts.changed - counts.deleted,
        extended=extended,
        deleted=counts.deleted,
        seconds=time.monotonic() - started,
        dry_run=dry_run,
    )


def _refuse_eviction(store: Store) -> None:
    if (reason := store.evicts()) is not None:
        raise InputError(
            f"{store.name} may drop keys on its own: {reason}. A missing key would then be read as empty values",
            "set its maxmemory-policy to noeviction, or push with --store-empty",
        )


# ---------------------------------------------------------------- what differs


@dataclass
class _Counts:
    """Keys: known to be there before, and what becomes of them."""

    known: int = 0
    new: int = 0
    changed: int = 0
    deleted: int = 0

    def add(self, batch: pa.RecordBatch) -> None:
        new, deleted = pc.sum(batch["is_new"]).as_py() or 0, batch["value"].null_count
        self.new += new
        self.deleted += deleted
        self.changed += batch.num_rows - new - deleted

    @property
    def all(self) -> int:
        return self.new + self.changed + self.deleted


def _known(store: Store, aim: Aim, record: Path | None, scratch: Path, full: bool) -> Pushed:
    """What the store holds of the version."""
    version = pushed.version(store, aim.prefix, aim.view.name, aim.view.hash)
    if full:
        return pushed.look(store, aim.prefix, aim.view.name, aim.view.hash, scratch, believe=False)
    if version is None and store.evicts() is None:
        return pushed.nothing(scratch)
    known = pushed.recall(record, store, version)
    return known or pushed.look(store, aim.prefix, aim.view.name, aim.view.hash, scratch, believe=True)


def _changes(warehouse: Warehouse, aim: Aim, known: Pushed) -> Iterator[pa.RecordBatch]:
    if aim.is_held(known):
        return iter(())
    meta, rows = aim.meta, known.rows if known.keys else None
    return warehouse.changes(
        aim.view, aim.table, meta.as_of, meta.horizon, meta.empty, aim.prefix, rows, sparse=meta.sparse
    )


def _would(warehouse: Warehouse, aim: Aim, known: Pushed, tell: Progress) -> _Counts:
    """What a push would do."""
    counts = _Counts(known.keys)
    for batch in _changes(warehouse, aim, known):
        counts.add(batch)
        tell(counts.all, None)
    return counts


# ---------------------------------------------------------------- making it so


def _cut_off(store: Store, aim: Aim) -> None:
    """End the connection of an earlier push that never came to its end: it has lost its lease, or it is dead."""
    version = pushed.version(store, aim.prefix, aim.view.name, aim.view.hash)
    if isinstance(version, wire.Pushing):
        store.cut(version.client)


def _extended(
    store: Store, lease: Lease, aim: Aim, known: Pushed, scratch: Path, lives_until: int
) -> tuple[Pushed, int]:
    """Give the keys a new time to live where theirs ends too soon; what is known after that, and how many got one."""
    if known.lives_until >= lives_until - GRACE_MS // 2:
        return known, 0
    gone = 0
    for batch in pq.ParquetFile(known.rows).iter_batches(BATCH, columns=["key"]):
        gone += store.extend(batch["key"], aim.key_ttl, check=lease.check)
    extended = known.keys - gone
    if gone:  # somebody else has removed them: what else is not as it was?
        known = pushed.look(store, aim.prefix, aim.view.name, aim.view.hash, scratch, believe=True)
    return replace(known, lives_until=lives_until), extended


def _made_so(
    warehouse: Warehouse, store: Store, lease: Lease, aim: Aim, known: Pushed, scratch: Path, tell: Progress
) -> tuple[_Counts, Pushed]:
    """Write and delete what differs; what the store holds after it."""
    counts = _Counts(known.keys)
    expected = None if known.keys else warehouse.holding(aim.table, aim.meta.as_of)
    changed = scratch / "changed.parquet"
    with pq.ParquetWriter(changed, pushed.ROWS, use_dictionary=False, compression="none") as log:
        batches = _begun(_changes(warehouse, aim, known), store, lease, aim)
        for batch in _sent(batches, lambda batch: _send(batch, store, lease, aim)):
            log.write_batch(batch.select(pushed.ROWS.names).cast(pushed.ROWS))
            counts.add(batch)
            tell(counts.all, expected)
    rows, keys = known.rows, known.keys
    if counts.all and known.keys:
        rows = scratch / "rows.parquet"
        keys = pushed.merged(known.rows, changed, rows)
    elif counts.all:
        rows, keys = changed, counts.new
    meta = aim.meta
    return counts, Pushed(rows, keys, known.lives_until, meta.as_of, meta.horizon, meta.sparse, aim.table.built_at)


def _switched(store: Store, lease: Lease, aim: Aim, keys: int) -> None:
    """From here on the version is served as it is now."""
    meta = replace(aim.meta, push=lease.push, rows=keys, replaces=_replaced(store, aim))
    value = wire.encode_meta(meta)
    lease.switch([(aim.meta_key, value, aim.meta_ttl), (aim.version_key, value, aim.key_ttl)])


def _begun(batches: Iterator[pa.RecordBatch], store: Store, lease: Lease, aim: Aim) -> Iterator[pa.RecordBatch]:
    """The batches; before the first of them is sent, readers and later pushes are told that keys are changing."""
    for number, batch in enumerate(batches):
        if number == 0:
            pushing = wire.encode_pushing(wire.Pushing(lease.push, store.client))
            lease.switch([*_narrowed(store, aim), (aim.version_key, pushing, aim.key_ttl)])
        yield batch


def _narrowed(store: Store, aim: Aim) -> list[tuple[str, bytes, None]]:
    """The meta that is there, promising only what its own push and this one both keep; nothing to write if it does."""
    old = pushed.served(store, aim.prefix, aim.view.name)
    if old is None or old.hash != aim.view.hash:
        return []
    narrowed = replace(
        old,
        as_of=min(old.as_of, aim.meta.as_of),
        since=max(old.since, aim.meta.since),
        horizon=min(old.horizon, aim.meta.horizon),
        sparse=old.sparse and aim.meta.sparse,
        built_at=old.built_at if old.built_at == aim.meta.built_at else None,
    )
    return [] if narrowed == old else [(aim.meta_key, wire.encode_meta(narrowed), None)]


def _replaced(store: Store, aim: Aim) -> str | None:
    """The version that was served before."""
    old = pushed.served(store, aim.prefix, aim.view.name)
    if old is None:
        return None
    return old.replaces if old.hash == aim.view.hash else old.hash


def _sent(batches: Iterator[pa.RecordBatch], send: Callable[[pa.RecordBatch], None]) -> Iterator[pa.RecordBatch]:
    """Send batches while the next are made, a few at a time; yields each once the store has acknowledged it."""
    under_way: deque[tuple[Future[None], pa.RecordBatch]] = deque()
    senders = ThreadPoolExecutor(_SENDERS, thread_name_prefix="push")
    try:
        for batch in batches:
            under_way.append((senders.submit(send, batch), batch))
            if len(under_way) == _WAITING:
                yield _acknowledged(*under_way.popleft())
        while under_way:
            yield _acknowledged(*under_way.popleft())
    finally:
        senders.shutdown(cancel_futures=True)


def _acknowledged(sending: Future[None], batch: pa.RecordBatch) -> pa.RecordBatch:
    sending.result()
    return batch


def _send(batch: pa.RecordBatch, store: Store, lease: Lease, aim: Aim) -> None:
    if batch["value"].null_count:
        gone = pc.is_null(batch["value"])
        store.delete(batch["key"].filter(gone), check=lease.check)
        batch = batch.filter(pc.invert(gone))
    if batch.num_rows:
        store.write(batch["key"], batch["value"], aim.key_ttl, check=lease.check)
