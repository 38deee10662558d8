"""SQLite as the online store: one file, no server. Writes wait for each other; each read sees its own snapshot."""

from __future__ import annotations

import os
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fsync.errors import StoreOutOfReach
from fsync.instant import now
from fsync.store.base import Check, always

if TYPE_CHECKING:
    import pyarrow as pa

# well below SQLite's limit on `?` of any version
_CHUNK: Final = 500
_SCANNED: Final = 10_000
# seconds that others that write are waited for
_PATIENCE: Final = 10.0

# stands in the file once the schema does
_VERSION: Final = 1
_SCHEMA: Final = f"""
begin immediate;
create table if not exists entry (
    key text primary key,
    value blob not null,
    expires_at integer not null  -- epoch milliseconds of wall clock
) without rowid;
create index if not exists entry_expires_at on entry (expires_at);
create table if not exists identity (name text);
insert into identity select hex(randomblob(16)) where not exists (select 1 from identity);
pragma user_version = {_VERSION};
commit;
"""
_PUT: Final = "insert or replace into entry values (?, ?, ?)"


class SqliteStore:
    """See `Store`. One object serves many threads, one at a time; several processes can share the file."""

    reads_at_once = True

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._turn = threading.Lock()
        self.client = f"fsync-{os.getpid()}-{secrets.token_hex(4)}"

    @property
    def name(self) -> str:
        return f"SQLite {self._path}"

    def get(self, keys: Sequence[str]) -> list[bytes | None]:
        found: dict[str, bytes] = {}
        if self._is_absent:
            return [None] * len(keys)  # reading makes no file
        with self._transaction() as cursor:
            cursor.execute("begin")  # what is read in chunks is read as of one moment
            for chunk in (keys[start : start + _CHUNK] for start in range(0, len(keys), _CHUNK)):
                marks = ",".join("?" * len(chunk))
                query = f"select key, value from entry where key in ({marks}) and expires_at > ?"
                found.update(cursor.execute(query, (*chunk, now())).fetchall())
        return [found.get(key) for key in keys]

    # ---------------------------------------------------------------- what a push writes

    def write(self, keys: pa.Array, values: pa.Array, ttl: int, *, check: Check = always) -> None:
        expires_at = now() + ttl
        pairs = zip(keys.to_pylist(), values.cast("binary").to_pylist(), strict=True)
        with self._transaction() as cursor:
            cursor.execute("begin immediate")
            check()
            cursor.executemany(_PUT, ((key, value, expires_at) for key, value in pairs))

    def extend(self, keys: pa.Array, ttl: int, *, check: Check = always) -> int:
        expires_at, gone = now() + ttl, 0
        query = "update entry set expires_at = ? where key = ? and expires_at > ?"
        with self._transaction() as cursor:
            cursor.execute("begin immediate")
            check()
            for key in keys.to_pylist():
                gone += cursor.execute(query, (expires_at, key, now())).rowcount == 0
        return gone

    def delete(self, keys: pa.Array, *, check: Check = always) -> None:
        with self._transaction() as cursor:
            cursor.execute("begin immediate")
            check()
            cursor.executemany("delete from entry where key = ?", ((key,) for key in keys.to_pylist()))

    def scan(self, before: str, after: str) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        if self._is_absent:
            return
        last, end = before, before[:-1] + chr(ord(before[-1]) + 1)  # the keys that start with `before` are one range
        while True:
            with self._transaction() as cursor:
                query = "select key, value from entry where key > ? and key < ? and expires_at > ? order by key limit ?"
                rows = cursor.execute(query, (last, end, now(), _SCANNED)).fetchall()
            if not rows:
                return
            last = rows[-1][0]
            found = [(key, value) for key, value in rows if key.endswith(after)]
            texts = pa.array([key for key, _ in found], pa.string())
            yield pa.record_batch([texts, pa.array([value for _, value in found], pa.binary())], ["key", "value"])

    # ---------------------------------------------------------------- leases

    def take(self, lease: str, holder: bytes, ttl: int) -> bytes | None:
        with self._transaction() as cursor:
            cursor.execute("begin immediate")
            there = cursor.execute(
                "select value from entry where key = ? and expires_at > ?", (lease, now())
            ).fetchone()
            if there is not None:
                return bytes(there[0])
            cursor.execute(_PUT, (lease, holder, now() + ttl))
            # a push is when a file that only grows would grow
            cursor.execute("delete from entry where expires_at <= ?", (now(),))
        return None

    def renew(self, lease: str, holder: bytes, ttl: int) -> bool:
        query = "update entry set expires_at = ? where key = ? and value = ? and expires_at > ?"
        with self._transaction() as cursor:
            return cursor.execute(query, (now() + ttl, lease, holder, now())).rowcount == 1

    def leave(self, lease: str, holder: bytes) -> None:
        with self._transaction() as cursor:
            cursor.execute("delete from entry where key = ? and value = ?", (lease, holder))

    def switch(self, lease: str, holder: bytes, entries: Sequence[tuple[str, bytes, int | None]]) -> bool:
        with self._transaction() as cursor:
            cursor.execute("begin immediate")
            query = "select 1 from entry where key = ? and value = ? and expires_at > ?"
            if cursor.execute(query, (lease, holder, now())).fetchone() is None:
                return False
            for key, value, ttl in entries:
                if ttl is None:
                    cursor.execute("update entry set value = ? where key = ?", (value, key))
                else:
                    cursor.execute(_PUT, (key, value, now() + ttl))
        return True

    def lives(self, key: str) -> int | None:
        if self._is_absent:
            return None
        with self._transaction() as cursor:
            row = cursor.execute("select expires_at from entry where key = ?", (key,)).fetchone()
        return row[0] - now() if row is not None and row[0] > now() else None

    def cut(self, client: str) -> None:
        pass  # what a process has not committed is not there

    # ---------------------------------------------------------------- the file

    def identity(self) -> str:
        with self._transaction() as cursor:
            ((name,),) = cursor.execute("select name from identity").fetchall()
        return str(name)

    def evicts(self) -> str | None:
        return None

    def close(self) -> None:
        with self._turn:  # whoever reads in another thread comes to the end
            self._let_go()

    def _let_go(self) -> None:
        if self._connection is None:
            return
        # what was written stands in a log beside the file, which would be taken for that of a file in its place
        if self._connection.total_changes or self._is_replaced:
            with suppress(sqlite3.Error):  # of a file that somebody else is at, and then empties
                self._connection.execute("pragma wal_checkpoint(truncate)")
        self._connection.close()
        self._connection = None

    @property
    def _is_absent(self) -> bool:
        return not self._path.exists()

    @property
    def _is_replaced(self) -> bool:
        return self._file != _inode(self._path)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Cursor]:
        try:
            with self._turn, self._open() as connection:  # commits, or rolls back
                yield connection.cursor()
        except sqlite3.Error as error:
            raise StoreOutOfReach(f"{self.name} does not answer: {error}") from error

    def _open(self) -> sqlite3.Connection:
        # a copy that took its place, such as one that is brought here every day, is another file
        if self._is_replaced:
            self._let_go()
        if self._connection is None:
            found = _inode(self._path)  # before it is opened: one that is replaced meanwhile is noticed next time
            connection = sqlite3.connect(self._path, timeout=_PATIENCE, check_same_thread=False)
            try:
                connection.execute("pragma synchronous = normal")
                # a file that is made is opened without a turn to write: readers need not wait for a push
                if connection.execute("pragma user_version").fetchone() != (_VERSION,):
                    _make(connection)
            except BaseException:
                connection.close()
                raise
            self._connection, self._file = connection, found or _inode(self._path)
        return self._connection


def _inode(path: Path) -> tuple[int, int] | None:
    """What tells a file from another one at its place; None for none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _make(connection: sqlite3.Connection) -> None:
    """Make the file, or find that somebody else has just done so."""
    give_up = time.monotonic() + _PATIENCE
    while True:
        try:
            # readers go on while a push writes
            connection.execute("pragma journal_mode = wal")
            break
        except sqlite3.OperationalError as error:
            # SQLite does not wait here while another turns the same file to write-ahead logging
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
            time.sleep(0.01)
    connection.executescript(_SCHEMA)
