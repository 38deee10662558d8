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


def test_a_file_that_took_the_place_of_another_is_read(tmp_path: Path) -> None:
    """As a snapshot is that is brought anew every day."""
    path, next_one = tmp_path / "store.sqlite", tmp_path / "next.sqlite"
    for place, value in ((path, "1"), (next_one, "2")):
        with closing(SqliteStore(place)) as store:
            store.write(pa.array(["a"]), pa.array([value]), MINUTE)
    with closing(SqliteStore(path)) as reader:
        assert reader.get(["a"]) == [b"1"]
        next_one.replace(path)
        assert reader.get(["a"]) == [b"2"]
        path.unlink()
        assert reader.get(["a"]) == [None]
        assert not path.exists(), "reading makes no file"


def test_what_was_written_to_a_file_does_not_get_into_the_one_in_its_place(tmp_path: Path) -> None:
    """While readers have it open, SQLite leaves what was written last in a log beside it."""
    path, next_one = tmp_path / "store.sqlite", tmp_path / "next.sqlite"
    keys = pa.array([f"key {number}" for number in range(20_000)])
    for place, value in ((path, "old"), (next_one, "new")):
        with closing(SqliteStore(place)) as store:
            store.write(keys, pa.array([value] * len(keys)), MINUTE)
    with closing(SqliteStore(path)) as reader:
        assert reader.get(["key 0"]) == [b"old"]
        with closing(SqliteStore(path)) as push:
            push.write(keys[:8_000], pa.array(["middle"] * 8_000), MINUTE)
        next_one.replace(path)
        assert set(reader.get(keys.to_pylist())) == {b"new"}
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("pragma integrity_check").fetchall() == [("ok",)]


def test_it_can_be_closed_while_another_thread_reads(tmp_path: Path) -> None:
    keys = [f"key {number}" for number in range(2_000)]
    store = SqliteStore(tmp_path / "store.sqlite")
    store.write(pa.array(keys), pa.array(["1"] * len(keys)), MINUTE)
    with ThreadPoolExecutor(2) as threads:
        reads = [threads.submit(store.get, keys) for _ in range(50)]
        for _ in range(200):
            store.close()
    assert all(read.result() == [b"1"] * len(keys) for read in reads)
    store.close()


def test_asking_how_long_a_key_lives_makes_no_file(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "no folder/store.sqlite")) as store:
        assert store.lives("a") is None
    assert not list(tmp_path.iterdir())
