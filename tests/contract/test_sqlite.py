"""What SQLite's file has to bear beside the contract of all stores: many that open it, and pushes that write to it."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier

import pyarrow as pa

from fsync.store.sqlite import SqliteStore

MINUTE = 60_000


def test_many_can_open_a_new_file_at_once(tmp_path: Path) -> None:
    """Turning a file to write-ahead logging is refused at once while another does the same: the wait is ours."""
    for number in range(20):
        path, together = tmp_path / f"{number}.sqlite", Barrier(8)

        def names(path: Path = path, together: Barrier = together) -> str:
            store = SqliteStore(path)
            together.wait()
            with closing(store):
                return store.identity()

        with ThreadPoolExecutor(8) as threads:
            found = {future.result() for future in [threads.submit(names) for _ in range(8)]}
        assert len(found) == 1, "all see the same file"
        with closing(sqlite3.connect(path)) as file:
            assert file.execute("pragma journal_mode").fetchone() == ("wal",), "readers go on while a push writes"


def test_a_reader_can_open_a_file_while_a_push_writes(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    with closing(SqliteStore(path)) as store:
        store.write(pa.array(["a"]), pa.array(["1"]), MINUTE)
    with closing(sqlite3.connect(path, timeout=0)) as push, closing(SqliteStore(path)) as reader:
        push.execute("begin immediate")
        assert reader.get(["a"]) == [b"1"], "opening asks for no turn to write"
