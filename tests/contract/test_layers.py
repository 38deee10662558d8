"""Reading through layers: this process, the online store, a snapshot. In a thread, or in an event loop."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as pa
import pytest

from fsync import wire
from fsync.errors import InputError, StoreOutOfReach
from fsync.language import types
from fsync.language.types import decimal
from fsync.read import AsyncReader, Batch, Layer, Reader, Status
from fsync.store import Store, open_store
from tests.servers import redis_server

DAY = 86_400_000
VALUES: dict[types.SqlType, tuple[Any, str]] = {
    types.BIGINT: (-9_223_372_036_854_775_808, "-9223372036854775808"),
    types.DOUBLE: (0.1, "0.1"),
    types.BOOLEAN: (True, "true"),
    types.VARCHAR: ("größe\n🦆", '"größe\\n🦆"'),
    decimal(38, 2): (Decimal("-123456789012345678901234567890.10"), '"-123456789012345678901234567890.10"'),
    types.DATE: (date(1998, 7, 1), '"1998-07-01"'),
    types.TIMESTAMP: (datetime(1998, 7, 1, 0, 0, 0, 1000), "899251200001"),
    types.UUID: (UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
}


def meta_of(view: str, kinds: list[types.SqlType], version: str = "1111aaaa", push: str = "one") -> wire.Meta:
    features = tuple(
        wire.FeatureMeta(f"{view}_{number}", kind, 0 if kind == types.BIGINT else None, None, ())
        for number, kind in enumerate(kinds)
    )
    return wire.Meta(
        view=view,
        hash=version,
        entity=(("id", types.BIGINT),),
        features=features,
        as_of=10 * DAY,
        since=10 * DAY,
        horizon=12 * DAY,
        rows=1,
        sparse=True,
        push=push,
        replaces=None,
    )


def put(store: Store, prefix: str, meta: wire.Meta, values: dict[int, str]) -> None:
    keys = [wire.entity_key(prefix, meta.hash, meta.view, str(number)) for number in values]
    written = [f"[[5,[{value}]]]" for value in values.values()]
    keys.append(wire.meta_key(prefix, meta.view))
    written.append(wire.encode_meta(meta).decode())
    store.write(pa.array(keys, pa.string()), pa.array(written, pa.string()), DAY)


@pytest.fixture
def two_views(store: Store, prefix: str) -> Store:
    put(store, prefix, meta_of("all", list(VALUES)), {1: ",".join(text for _, text in VALUES.values())})
    numbers = meta_of("numbers", [types.BIGINT, types.DOUBLE, types.BOOLEAN])
    put(store, prefix, numbers, {1: '1,"NaN",true', 2: '2,"-Infinity",false', 3: "null,null,null"})
    return store


def batches(url: str, prefix: str, *asked: Any, **named: Any) -> list[Batch]:
    """The same read, in a thread and in an event loop."""

    async def awaited() -> Batch:
        async with AsyncReader(url, prefix=prefix) as reader:
            await reader.read_batch(*asked, **named)
            return await reader.read_batch(*asked, **named)

    with Reader(url, prefix=prefix) as reader:
        reader.read_batch(*asked, **named)
        return [reader.read_batch(*asked, **named), asyncio.run(awaited())]


def test_several_views_of_several_entities(two_views: Store, store_url: str, prefix: str) -> None:
    one, other = batches(store_url, prefix, ["all", "numbers"], [1, 2, 7], at=11 * DAY)
    assert repr(one) == repr(other)
    first, second, unknown = one.to_dicts()
    for number, (value, _) in enumerate(VALUES.values()):
        assert first[f"all_{number}"] == value
        assert type(first[f"all_{number}"]) is type(value)
    assert (first["numbers_0"], second["numbers_0"], unknown["numbers_0"]) == (1, 2, 0)
    assert list(first) == [f"all_{number}" for number in range(8)] + [f"numbers_{number}" for number in range(3)]
    assert one.readings["numbers"][2].status == dict.fromkeys(("numbers_0", "numbers_1", "numbers_2"), Status.EMPTY)


def test_a_table_of_the_features(two_views: Store, store_url: str, prefix: str) -> None:
    for batch in batches(store_url, prefix, ["all", "numbers"], [1, 7], at=11 * DAY):
        table = batch.to_arrow()
        assert table.num_rows == 2
        assert [str(kind) for kind in table.schema.types[:8]] == [
            *("int64", "double", "bool", "string", "decimal128(38, 2)", "date32[day]", "timestamp[ms]", "string"),
        ]
        row, empty = table.to_pylist()
        assert row["all_4"] == Decimal("-123456789012345678901234567890.10")
        assert row["all_7"] == "00000000-0000-0000-0000-000000000001"
        assert empty["all_4"] is None


def test_a_matrix_of_the_features(two_views: Store, store_url: str, prefix: str) -> None:
    for batch in batches(store_url, prefix, ["numbers"], [1, 2, 3, 7], at=11 * DAY):
        matrix = batch.to_numpy()
        assert matrix.shape == (4, 3)
        assert matrix[1].tolist() == [2.0, -math.inf, 0.0]
        assert matrix[0, 2] == 1.0
        assert [[math.isnan(value) for value in row] for row in matrix] == [
            [False, True, False],
            [False, False, False],
            [True, True, True],
            [False, True, True],
        ]
    (batch, _) = batches(store_url, prefix, ["all"], [1], at=11 * DAY)
    with pytest.raises(InputError, match="all_3 is varchar"):
        batch.to_numpy()


def test_what_is_not_there(two_views: Store, store_url: str, prefix: str) -> None:
    for batch in batches(store_url, prefix, ["nothing", "numbers"], [1], at=11 * DAY):
        assert batch.metas["nothing"] is None
        assert batch.readings["nothing"][0].is_missing
        assert batch.to_dicts()[0]["numbers_0"] == 1
        assert batch.to_arrow().column_names == ["numbers_0", "numbers_1", "numbers_2"]
    for batch in batches(store_url, prefix, ["numbers"], []):
        assert batch.to_dicts() == []
        assert batch.to_numpy().shape == (0, 3)
    for batch in batches(store_url, prefix, [], [1]):
        assert batch.to_dicts() == [{}]


def test_what_no_push_wrote_is_refused(store: Store, store_url: str, prefix: str) -> None:
    put(store, prefix, meta_of("broken", [types.BIGINT]), {1: "hello", 2: "1,2"})
    with Reader(store_url, prefix=prefix) as reader:
        for key in (1, 2):
            with pytest.raises(InputError, match=r"something else where .* should be"):
                reader.read("broken", key)


def test_a_reader_sees_a_push_with_its_next_read(two_views: Store, store_url: str, prefix: str) -> None:
    with Reader(store_url, prefix=prefix) as reader:
        assert reader.read("numbers", 1, at=11 * DAY)["numbers_0"] == 1
        put(two_views, prefix, meta_of("numbers", [types.BIGINT], "2222bbbb", "two"), {1: "5"})
        reading = reader.read("numbers", 1, at=11 * DAY)
        assert (reading.values, reading.layer) == ({"numbers_0": 5}, Layer.ONLINE)
        gone = [wire.meta_key(prefix, "numbers"), wire.entity_key(prefix, "2222bbbb", "numbers", "1")]
        two_views.delete(pa.array(gone))
        assert reader.read("numbers", 1, at=11 * DAY).is_missing


class Counted:
    """A store that counts what is asked of it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.reads = 0

    def get(self, keys: list[str]) -> list[bytes | None]:
        self.reads += 1
        return self._store.get(keys)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def test_one_round_trip(two_views: Store, prefix: str) -> None:
    counted: Any = Counted(two_views)
    reader = Reader(counted, prefix=prefix)
    reader.read_batch(["all", "numbers"], [1, 2, 3])
    before = counted.reads
    reader.read_batch(["all", "numbers"], [1, 2, 3])
    assert counted.reads - before == (1 if two_views.reads_at_once else 2)


def test_the_cache_answers_for_a_while(two_views: Store, prefix: str) -> None:
    counted: Any = Counted(two_views)
    reader = Reader(counted, prefix=prefix, cache=100, cache_seconds=0.2)
    assert reader.read("numbers", 1, at=11 * DAY).layer is Layer.ONLINE
    before = counted.reads
    reading = reader.read("numbers", 1, at=11 * DAY)
    assert (reading["numbers_0"], reading.layer, counted.reads) == (1, Layer.CACHE, before)
    assert reader.read("numbers", 7, at=11 * DAY)["numbers_0"] == 0
    assert reader.read("numbers", 7, at=11 * DAY).layer is Layer.CACHE, "that there is no key is known too"
    put(two_views, prefix, meta_of("numbers", [types.BIGINT], "2222bbbb", "two"), {1: "5", 2: "6"})
    # what is not cached is read, with the meta; what was read by the old one is not used beside it
    assert [r["numbers_0"] for r in reader.read_many("numbers", [1, 2], at=11 * DAY)] == [5, 6]
    put(two_views, prefix, meta_of("numbers", [types.BIGINT], "2222bbbb", "three"), {1: "7"})
    assert reader.read("numbers", 1, at=11 * DAY)["numbers_0"] == 5
    time.sleep(0.25)
    assert reader.read("numbers", 1, at=11 * DAY)["numbers_0"] == 7


def test_of_an_open_store_no_variable_counts(
    two_views: Store, prefix: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FSYNC_SNAPSHOT", f"sqlite:///{tmp_path}/other.sqlite")
    monkeypatch.setenv("FSYNC_PREFIX", "other")
    monkeypatch.setenv("FSYNC_CACHE", "100")
    reader = Reader(two_views, prefix=prefix)
    for _ in range(2):
        assert reader.read("numbers", 1, at=11 * DAY).layer is Layer.ONLINE
    # what is given counts, if it is nothing: kept for no time, it is read again
    reader = Reader(two_views, prefix=prefix, cache=100, cache_seconds=0)
    for _ in range(2):
        assert reader.read("numbers", 1, at=11 * DAY).layer is Layer.ONLINE


def test_the_cache_is_bounded(two_views: Store, prefix: str) -> None:
    counted: Any = Counted(two_views)
    reader = Reader(counted, prefix=prefix, cache=2, cache_seconds=60)
    for key in (1, 2, 3):
        reader.read("numbers", key)
    before = counted.reads
    assert reader.read("numbers", 3).layer is Layer.CACHE
    assert reader.read("numbers", 1).layer is Layer.ONLINE
    assert counted.reads > before


def test_what_is_read_can_be_changed_without_harm(two_views: Store, prefix: str) -> None:
    reader = Reader(two_views, prefix=prefix, cache=10, cache_seconds=60)
    for _ in range(3):
        reading: Any = reader.read("numbers", 1, at=11 * DAY)
        assert (reading.values["numbers_0"], reading.status["numbers_0"]) == (1, Status.OK)
        reading.values["numbers_0"] = 99
        reading.status.clear()


def test_many_threads_and_a_small_cache(two_views: Store, prefix: str) -> None:
    reader = Reader(two_views, prefix=prefix, cache=2, cache_seconds=0.001)
    faults: list[BaseException] = []

    def work() -> None:
        try:
            for turn in range(100):
                assert reader.read("numbers", 1 + turn % 3, at=11 * DAY)["numbers_0"] == (1, 2, None)[turn % 3]
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


@pytest.fixture
def snapshot(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/snapshot.sqlite"
    with closing(open_store(url)) as store:
        put(store, "fs", meta_of("numbers", [types.BIGINT]), {1: "1"})
    return url


def test_the_snapshot_answers_while_the_server_does_not(tmp_path: Path, snapshot: str) -> None:
    with redis_server(tmp_path) as server:
        with closing(open_store(server.url)) as store:
            put(store, "fs", meta_of("numbers", [types.BIGINT], push="two"), {1: "2"})
        reader = Reader(server.url, snapshot=snapshot)
        assert reader.read("numbers", 1, at=11 * DAY).layer is Layer.ONLINE
        server.process.kill()
        server.process.wait()
        for _ in range(3):
            reading = reader.read("numbers", 1, at=11 * DAY)
            assert (reading["numbers_0"], reading.layer) == (1, Layer.SNAPSHOT)
        began = time.monotonic()
        reader.read("numbers", 1, at=11 * DAY)
        assert time.monotonic() - began < 0.1, "for a moment the server is not asked again"

        async def awaited() -> tuple[Any, Any]:
            async with AsyncReader(server.url, snapshot=snapshot) as reader:
                reading = await reader.read("numbers", 1, at=11 * DAY)
                return reading["numbers_0"], reading.layer

        assert asyncio.run(awaited()) == (1, Layer.SNAPSHOT)
        with redis_server(tmp_path, port=server.port), closing(open_store(server.url)) as store:
            put(store, "fs", meta_of("numbers", [types.BIGINT], push="three"), {1: "3"})
            time.sleep(1.1)
            reading = reader.read("numbers", 1, at=11 * DAY)
            assert (reading["numbers_0"], reading.layer) == (3, Layer.ONLINE)
        reader.close()


def test_without_a_snapshot_a_server_that_does_not_answer_is_an_error() -> None:
    with pytest.raises(StoreOutOfReach), Reader("redis://127.0.0.1:1/0") as reader:
        reader.read("numbers", 1)

    async def awaited() -> None:
        async with AsyncReader("redis://127.0.0.1:1/0") as reader:
            await reader.read_many("numbers", [1])

    with pytest.raises(StoreOutOfReach):
        asyncio.run(awaited())


def test_layers_are_chosen_by_variables(monkeypatch: pytest.MonkeyPatch, snapshot: str) -> None:
    monkeypatch.setenv("FSYNC_ONLINE", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("FSYNC_SNAPSHOT", snapshot)
    monkeypatch.setenv("FSYNC_CACHE", "10")
    with Reader() as reader:
        assert reader.read("numbers", 1, at=11 * DAY).layer is Layer.SNAPSHOT
    monkeypatch.setenv("FSYNC_CACHE", "many")
    with pytest.raises(InputError, match="FSYNC_CACHE is 'many'"):
        Reader()
