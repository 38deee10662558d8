"""What a store holds of one version of a view, as far as is known: the last push's own record, or what the store says.

A record is a folder of two files, made of what the store has acknowledged. It is believed only while the store names
the same push as the last one that ended: after a push that was cut off, a push from elsewhere, or with a store that
was emptied, replaced or restarted, the store itself is read.

    last.json       of which push, of which instant, and until when the keys live
    <push>.parquet  (key, fingerprint of the value)
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from fsync import wire
from fsync.errors import InputError
from fsync.instant import now
from fsync.store import Store

#: the folder of a project that holds records, one folder a store, view and version
FOLDER: Final = ".fsync"

_LAST: Final = "last.json"
#: how long after its last key a record is kept
_FORGET_MS: Final = 30 * 86_400_000
#: fingerprints are DuckDB's hashes, which another version of it may compute otherwise
_ENGINE: Final = duckdb.__version__

ROWS: Final = pa.schema([("key", pa.string()), ("fingerprint", pa.uint64())])


@dataclass(frozen=True)
class Pushed:
    """The keys of one version of a view in one store.

    `rows` is a Parquet file of (key, fingerprint), where a NULL fingerprint stands for a value that is to be
    written anew. `lives_until` is the wall clock at which the first of the keys may expire. The rest is None where it
    is the store that was asked: the instants of the push, and when its table was built.
    """

    rows: Path
    keys: int
    lives_until: int
    as_of: int | None = None
    horizon: int | None = None
    sparse: bool | None = None
    built_at: int | None = None


def folder_of(root: Path, store: Store, prefix: str, view: str, version: str) -> Path:
    """Where the record of a view's version in a store is kept, below the root of a project."""
    where = hashlib.sha256(f"{store.name}\n{prefix}".encode()).hexdigest()[:12]
    return root / FOLDER / "pushed" / where / f"{view}-{version}"


def served(store: Store, prefix: str, view: str) -> wire.Meta | None:
    """What readers of a view are told by a store; None where it is not there."""
    (value,) = store.get([wire.meta_key(prefix, view)])
    return None if value is None else wire.decode_meta(value)


def version(store: Store, prefix: str, view: str, version: str) -> wire.Meta | wire.Pushing | None:
    """What a store says of a version's keys: what they are, or who is changing them; None where there are none."""
    (value,) = store.get([wire.version_key(prefix, view, version)])
    return None if value is None else wire.decode_version(value)


def recall(folder: Path | None, store: Store, version: wire.Meta | wire.Pushing | None) -> Pushed | None:
    """The record of the last push, if the store holds what that push left; `version` is what the store says of it."""
    if folder is None or not isinstance(version, wire.Meta):
        return None
    try:
        last = json.loads((folder / _LAST).read_text(encoding="utf-8"))
        if (last["push"], last["engine"], last["wire"]) != (version.push, _ENGINE, wire.VERSION):
            return None
        pushed = Pushed(**{**last["pushed"], "rows": folder / last["pushed"]["rows"]})
    except (OSError, ValueError, KeyError, TypeError):
        return None  # no record, or a damaged one: the store is asked
    return pushed if pushed.rows.is_file() and last["identity"] == store.identity() else None


def remember(folder: Path, push: str, store: Store, pushed: Pushed) -> None:
    """Keep a record, now that the store has acknowledged all of it. `pushed.rows` is moved into the folder."""
    _make(folder)
    rows = folder / f"{push}.parquet"
    if pushed.rows != rows:
        os.replace(pushed.rows, rows)
    last = {
        "push": push,
        "engine": _ENGINE,
        "wire": wire.VERSION,
        "identity": store.identity(),
        "pushed": {**asdict(pushed), "rows": rows.name},
    }
    written = folder / f"{_LAST}.new"
    written.write_text(json.dumps(last), encoding="utf-8")
    os.replace(written, folder / _LAST)
    for other in folder.glob("*.parquet"):
        if other != rows:
            other.unlink()
    _forget(folder.parent)


def _forget(records: Path) -> None:
    """Remove the records of versions whose keys have expired."""
    for last in records.glob(f"*/{_LAST}"):
        try:
            has_expired = json.loads(last.read_text(encoding="utf-8"))["pushed"]["lives_until"] < now() - _FORGET_MS
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if has_expired:
            shutil.rmtree(last.parent, ignore_errors=True)


def look(store: Store, prefix: str, view: str, version: str, folder: Path, *, believe: bool) -> Pushed:
    """What the store itself says that it holds; with `believe` False, only which keys.

    Keys are taken to expire at any moment: when they do is not asked of each.
    """
    before, after = wire.around_entity(prefix, view, version)
    found = folder / "found.parquet"
    schema = pa.schema([("key", pa.string()), ("value", pa.binary())])
    failed: list[BaseException] = []
    with _engine() as connection:
        scanned = _noting(store.scan(before, after), failed)
        connection.register("scanned", pa.RecordBatchReader.from_batches(schema, scanned))
        try:
            connection.execute(
                f"copy (select key, "
                f"any_value({'hash(value)' if believe else 'cast(null as ubigint)'}) as fingerprint "
                f"from scanned group by key) to '{_quoted(found)}' (format parquet)"
            )
        except duckdb.Error:
            if failed:
                raise failed[0] from None
            raise
    return Pushed(found, pq.read_metadata(found).num_rows, lives_until=now())


def _noting(batches: Iterator[pa.RecordBatch], failed: list[BaseException]) -> Iterator[pa.RecordBatch]:
    """The batches; what ends them is noted, since DuckDB tells it as an error of its own."""
    try:
        yield from batches
    except BaseException as error:
        failed.append(error)
        raise


def nothing(folder: Path) -> Pushed:
    """That the store holds no key of the version."""
    rows = folder / "nothing.parquet"
    pq.write_table(ROWS.empty_table(), rows)
    return Pushed(rows, 0, lives_until=now())


def merged(known: Path, changed: Path, into: Path) -> int:
    """Write what is known once the changes are made; how many keys there are. A deleted key has no fingerprint."""
    with _engine() as connection:
        connection.execute(
            f"copy (from read_parquet('{_quoted(known)}') known "
            f"anti join read_parquet('{_quoted(changed)}') changed using (key) "
            f"union all by name from read_parquet('{_quoted(changed)}') where fingerprint is not null) "
            f"to '{_quoted(into)}' (format parquet)"
        )
    return int(pq.read_metadata(into).num_rows)


@contextmanager
def scratch(folder: Path | None) -> Iterator[Path]:
    """A folder for what a push writes down on its way, on the file system of its record.

    Raises:
        InputError: when nothing can be written there.
    """
    try:
        if folder is not None:
            _make(folder)
        with TemporaryDirectory(prefix="push-", dir=folder):
            pass
    except OSError as error:
        raise InputError(
            f"what is pushed is written down in {folder}, and nothing can be written there: {error.strerror}",
            f"let {FOLDER}/ of the project be a folder that this user can write to, such as a volume",
        ) from error
    with TemporaryDirectory(prefix="push-", dir=folder) as path:
        yield Path(path)


def _make(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    root = next((parent for parent in folder.parents if parent.name == FOLDER), None)
    if root is not None and not (root / ".gitignore").exists():
        (root / ".gitignore").write_text("# what this machine has pushed: of no use on another\n*\n")


def _engine() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:")
    connection.execute("set enable_progress_bar = false")  # stdout is for data
    return connection


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
