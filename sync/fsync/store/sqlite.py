"""The embedded store: one SQLite file, for a laptop, a test, or a service with its own snapshot."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from fsync.errors import StoreOutOfReach
from fsync.instant import now
from fsync.wire import view_of_key

# well below SQLite's limit on `?` of any version
_CHUNK: Final = 500

_SCHEMA: Final = """
create table if not exists entry (
    key text primary key,
    value blob not null,
    expires_at integer not null  -- epoch milliseconds of wall clock
) without rowid
"""
_INDEX: Final = "create index if not exists entry_expires_at on entry (expires_at)"


class SqliteStore:
    """See `Store`. One object serves many threads, one at a time; several processes can share the file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._turn = threading.Lock()

    @property
    def name(self) -> str:
        return f"SQLite {self._path}"

    def get(self, keys: Sequence[str]) -> list[bytes | None]:
        found: dict[str, bytes] = {}
        if self._connection is None and not self._path.exists():
            return [None] * len(keys)  # reading makes no file
        with self._transaction() as cursor:
            for chunk in _chunks(keys):
                marks = ",".join("?" * len(chunk))
                query = f"select key, value from entry where key in ({marks}) and expires_at > ?"
                found.update(cursor.execute(query, (*chunk, now())).fetchall())
        return [found.get(key) for key in keys]

    def put(self, values: Sequence[tuple[str, bytes]], ttl: int) -> None:
        expires_at = now() + ttl
        with self._transaction() as cursor:
            cursor.executemany(
                "insert or replace into entry values (?, ?, ?)",
                ((key, value, expires_at) for key, value in values),
            )
            cursor.execute("delete from entry where expires_at <= ?", (now(),))

    def replace(self, key: str, value: bytes) -> None:
        with self._transaction() as cursor:
            cursor.execute("update entry set value = ? where key = ?", (value, key))

    def extend(self, keys: Sequence[str], ttl: int) -> list[str]:
        expires_at = now() + ttl
        gone = []
        with self._transaction() as cursor:
            for key in keys:
                query = "update entry set expires_at = ? where key = ? and expires_at > ?"
                if cursor.execute(query, (expires_at, key, now())).rowcount == 0:
                    gone.append(key)
        return gone

    def delete(self, keys: Sequence[str]) -> None:
        with self._transaction() as cursor:
            cursor.executemany("delete from entry where key = ?", ((key,) for key in keys))

    def scan(self, prefix: str, view: str) -> Iterator[str]:
        if self._connection is None and not self._path.exists():
            return iter(())
        with self._transaction() as cursor:
            # a range of the primary key: every key that starts with "prefix:{"
            query = "select key from entry where key >= ? and key < ? and expires_at > ?"
            keys = [key for (key,) in cursor.execute(query, (f"{prefix}:{{", f"{prefix}:|", now()))]
        return (key for key in keys if (found := view_of_key(prefix, key)) and found[0] == view)

    def evicts(self) -> str | None:
        return None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Cursor]:
        try:
            with self._turn, self._open() as connection:  # commits, or rolls back
                yield connection.cursor()
        except sqlite3.Error as error:
            raise StoreOutOfReach(f"{self.name} does not answer: {error}") from error

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            connection = sqlite3.connect(self._path, timeout=10, check_same_thread=False)
            # readers go on while a push writes
            connection.execute("pragma journal_mode = wal")
            connection.execute("pragma synchronous = normal")
            connection.execute(_SCHEMA)
            connection.execute(_INDEX)
            self._connection = connection
        return self._connection


def _chunks(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    return (keys[start : start + _CHUNK] for start in range(0, len(keys), _CHUNK))
