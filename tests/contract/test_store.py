"""One contract, every store."""

from __future__ import annotations

import threading
import time
import uuid

import pyarrow as pa
import pytest

from fsync import wire
from fsync.errors import LeaseLost, StoreOutOfReach
from fsync.language.types import VARCHAR
from fsync.store import Store, open_store

MINUTE = 60_000

HOSTILE = (
    *("", " ", "|", "%", "%7C", "{", "}", "{}", "}{", "}:view:hash", "}:people:1111aaaa", "a\nb", "a\r\nb", "a\x00b"),
    *("*", "[a-z]?", "\\", "$3\r\nSET\r\n", "🦆", "é" * 32_000, "{" * 1_000, "x" * 65_536),
)


def put(store: Store, values: dict[str, bytes], ttl: int = MINUTE) -> None:
    store.write(
        pa.array(values, pa.string()), pa.array([value.decode() for value in values.values()], pa.string()), ttl
    )


def texts(*values: str) -> pa.Array:
    return pa.array(values, pa.string())


def scanned(store: Store, before: str, after: str) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for batch in store.scan(before, after):
        found |= zip(batch["key"].to_pylist(), batch["value"].to_pylist(), strict=True)
    return found


def test_what_was_written_is_got_in_the_order_of_the_keys(store: Store, prefix: str) -> None:
    put(store, {f"{prefix}:a": b"1", f"{prefix}:b": b"\x00 \xc3\xa9"})
    assert store.get([f"{prefix}:b", f"{prefix}:none", f"{prefix}:a"]) == [b"\x00 \xc3\xa9", None, b"1"]


def test_writing_again_replaces(store: Store, prefix: str) -> None:
    put(store, {f"{prefix}:a": b"1"})
    put(store, {f"{prefix}:a": b"2"})
    assert store.get([f"{prefix}:a"]) == [b"2"]


def test_nothing_is_no_fault(store: Store) -> None:
    put(store, {})
    store.delete(texts())
    assert store.get([]) == []
    assert store.extend(texts(), MINUTE) == 0


def test_a_part_of_an_array_is_as_good_as_a_whole_one(store: Store, prefix: str) -> None:
    keys = texts("no", f"{prefix}:a", f"{prefix}:bb", "no").slice(1, 2)
    store.write(keys, texts("no", "no", "1", "22").slice(2), MINUTE)
    assert store.get([f"{prefix}:a", f"{prefix}:bb"]) == [b"1", b"22"]
    large = keys.cast(pa.large_string())
    store.write(large, texts("3", "44").cast(pa.large_string()), MINUTE)
    assert store.get([f"{prefix}:a", f"{prefix}:bb"]) == [b"3", b"44"]
    assert store.extend(large, MINUTE) == 0


def test_many_are_as_good_as_one(store: Store, prefix: str) -> None:
    """More than goes into one buffer, and than SQLite takes in one query."""
    values = {f"{prefix}:{{{number}}}": f"{number:0300}".encode() for number in range(40_000)}
    put(store, values)
    assert store.get(list(values)) == list(values.values())
    assert scanned(store, f"{prefix}:{{", "}") == values
    assert store.extend(texts(*values, f"{prefix}:none"), MINUTE) == 1
    store.delete(texts(*values))
    assert set(store.get(list(values))) == {None}


def test_deleted_keys_are_gone_and_absent_ones_no_fault(store: Store, prefix: str) -> None:
    put(store, {f"{prefix}:a": b"1", f"{prefix}:b": b"2"})
    store.delete(texts(f"{prefix}:a", f"{prefix}:none"))
    assert store.get([f"{prefix}:a", f"{prefix}:b"]) == [None, b"2"]


def test_a_key_ends_with_its_time_to_live(store: Store, prefix: str) -> None:
    put(store, {f"{prefix}:short": b"1"}, 50)
    put(store, {f"{prefix}:long": b"2"})
    time.sleep(0.1)
    assert store.get([f"{prefix}:short", f"{prefix}:long"]) == [None, b"2"]
    assert store.lives(f"{prefix}:short") is None
    assert MINUTE - 10_000 < (store.lives(f"{prefix}:long") or 0) <= MINUTE


def test_extending_keeps_a_key_and_counts_those_that_are_gone(store: Store, prefix: str) -> None:
    put(store, {f"{prefix}:a": b"1"}, 200)
    assert store.extend(texts(f"{prefix}:a", f"{prefix}:none", f"{prefix}:neither"), MINUTE) == 2
    time.sleep(0.3)
    assert store.get([f"{prefix}:a"]) == [b"1"]


def test_a_scan_finds_the_keys_of_one_version_of_one_view(store: Store, prefix: str) -> None:
    mine = {wire.entity_key(prefix, "1111aaaa", "orders", str(number)): b"[]" for number in range(50)}
    others = {
        wire.entity_key(prefix, "2222bbbb", "orders", "42"): b"1",
        wire.entity_key(prefix, "1111aaaa", "orders_more", "42"): b"1",
        wire.entity_key(f"{prefix}x", "1111aaaa", "orders", "42"): b"1",
        wire.meta_key(prefix, "orders"): b"1",
        wire.version_key(prefix, "orders", "1111aaaa"): b"1",
    }
    put(store, mine | others)
    assert scanned(store, *wire.around_entity(prefix, "orders", "1111aaaa")) == mine
    assert scanned(store, f"{prefix}[a-z]*", "?") == {}


def test_no_entity_can_touch_the_key_of_another(store: Store, prefix: str) -> None:
    columns = [("name", VARCHAR)]
    keys = {name: wire.entity_key(prefix, "1111aaaa", "people", wire.entity_text(name, columns)) for name in HOSTILE}
    assert len(set(keys.values())) == len(HOSTILE)
    values = {name: f"{number}".encode() for number, name in enumerate(HOSTILE)}
    put(store, {keys[name]: values[name] for name in HOSTILE})
    assert store.get(list(keys.values())) == list(values.values())
    assert set(scanned(store, *wire.around_entity(prefix, "people", "1111aaaa"))) == set(keys.values())
    store.delete(texts(keys["}:people:1111aaaa"]))
    left = [name for name, value in zip(HOSTILE, store.get(list(keys.values())), strict=True) if value is None]
    assert left == ["}:people:1111aaaa"]


# ---------------------------------------------------------------- leases


def test_one_holder_at_a_time_has_a_lease(store: Store, prefix: str) -> None:
    lease = wire.lease_key(prefix, "orders")
    assert store.take(lease, b"one", MINUTE) is None
    assert store.take(lease, b"two", MINUTE) == b"one"
    assert store.renew(lease, b"one", MINUTE)
    assert not store.renew(lease, b"two", MINUTE)
    store.leave(lease, b"two")
    assert store.take(lease, b"two", MINUTE) == b"one"
    store.leave(lease, b"one")
    store.leave(lease, b"one")
    assert store.take(lease, b"two", MINUTE) is None


def test_a_lease_runs_out(store: Store, prefix: str) -> None:
    lease = wire.lease_key(prefix, "orders")
    assert store.take(lease, b"one", 100) is None
    time.sleep(0.2)
    assert not store.renew(lease, b"one", MINUTE)
    assert store.take(lease, b"two", MINUTE) is None


def test_a_switch_writes_all_or_nothing_and_only_for_the_holder(store: Store, prefix: str) -> None:
    lease, meta = wire.lease_key(prefix, "orders"), wire.meta_key(prefix, "orders")
    version = wire.version_key(prefix, "orders", "1111aaaa")
    assert not store.switch(lease, b"one", [(meta, b"1", MINUTE)])
    store.take(lease, b"one", MINUTE)
    assert not store.switch(lease, b"two", [(meta, b"2", MINUTE), (version, b"2", MINUTE)])
    assert store.get([meta, version]) == [None, None]
    assert store.switch(lease, b"one", [(meta, b"1", 300), (version, b"1", MINUTE)])
    assert store.get([meta, version]) == [b"1", b"1"]
    assert store.switch(lease, b"one", [(meta, b"3", None), (f"{version}x", b"3", None)])
    assert store.get([meta, f"{version}x"]) == [b"3", None], "without a time to live, a key is not made"
    time.sleep(0.4)
    assert store.get([meta]) == [None], "and keeps the one that it has"


def test_many_that_want_a_lease_at_once_come_one_after_another(store_url: str, prefix: str) -> None:
    lease = wire.lease_key(prefix, "orders")
    has_it, at_once = [], []

    def want() -> None:
        store, holder = open_store(store_url), uuid.uuid4().bytes
        while store.take(lease, holder, MINUTE) is not None:
            time.sleep(0.002)
        has_it.append(holder)
        at_once.append(len(has_it))
        time.sleep(0.005)
        has_it.remove(holder)
        store.leave(lease, holder)
        store.close()

    threads = [threading.Thread(target=want) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert at_once == [1] * 8


def test_what_is_cut_off_writes_no_more(store: Store, store_url: str, prefix: str) -> None:
    """Neither what it sends after its last look at the time, nor what it has begun to send."""
    if store_url.startswith("sqlite"):
        pytest.skip("what is not committed is not there, and nothing is under way outside a process")
    other = open_store(store_url)
    keys = texts(*(f"{prefix}:{{{number}}}" for number in range(50)))
    other.write(keys, keys, MINUTE, check=lambda: store.cut("nobody"))
    with pytest.raises(StoreOutOfReach):
        other.write(keys, texts(*["late"] * 50), MINUTE, check=lambda: store.cut(other.client))
    assert store.get(keys.to_pylist()) == [key.encode() for key in keys.to_pylist()]
    other.close()


def test_what_a_check_refuses_is_not_written(store: Store, prefix: str) -> None:
    def refuse() -> None:
        raise LeaseLost("too late")

    keys = texts(f"{prefix}:a")
    store.write(keys, texts("1"), MINUTE)
    for write in (
        lambda: store.write(keys, texts("2"), MINUTE, check=refuse),
        lambda: store.delete(keys, check=refuse),
        lambda: store.extend(keys, 1, check=refuse),
    ):
        with pytest.raises(LeaseLost):
            write()
    time.sleep(0.01)
    assert store.get([f"{prefix}:a"]) == [b"1"]


@pytest.mark.parametrize("password", ["hunter2", "p%40ss"])
@pytest.mark.parametrize("url", ["redis://me:{}@x:1/0", "redis+cluster://me:{}@x:1", "redis+sentinel://:{}@x:1,y/m/0"])
def test_no_name_tells_a_password(password: str, url: str) -> None:
    assert password not in open_store(url.format(password)).name


# ---------------------------------------------------------------- the server


def test_a_store_is_the_same_to_all_that_open_it(store: Store, store_url: str) -> None:
    other = open_store(store_url)
    assert store.identity() == other.identity() != ""
    assert store.client != other.client
    assert store.evicts() is None
    other.close()


def test_one_object_serves_many_threads(store: Store, prefix: str) -> None:
    faults: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(20):
                key = f"{prefix}:{number}"
                put(store, {key: str(turn).encode()})
                assert store.get([key]) == [str(turn).encode()]
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


def test_what_one_wrote_another_reads(store_url: str, prefix: str) -> None:
    one, other = open_store(store_url), open_store(store_url)
    put(one, {f"{prefix}:a": b"1"})
    assert other.get([f"{prefix}:a"]) == [b"1"]
    for opened in (one, other):
        opened.close()
        opened.close()


@pytest.mark.parametrize("size", [0, 1, 17, 100_000])
def test_values_of_any_size(store: Store, prefix: str, size: int) -> None:
    put(store, {f"{prefix}:a": b"x" * size, f"{prefix}:b": b"y"})
    assert store.get([f"{prefix}:a", f"{prefix}:b"]) == [b"x" * size, b"y"]
