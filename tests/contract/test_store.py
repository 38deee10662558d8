"""One contract, every store."""

from __future__ import annotations

import threading
import time

import pytest

from fsync.language.types import VARCHAR
from fsync.store import Store, open_store
from fsync.wire import entity_key, entity_text

MINUTE = 60_000

HOSTILE = ("", " ", "|", "%", "%7C", "{", "}", "}:view:hash", "a\nb", "a\x00b", "*", "[a-z]?", "\\", "🦆", "é" * 60_000)


def test_what_was_put_is_got_in_the_order_of_the_keys(store: Store, prefix: str) -> None:
    store.put([(f"{prefix}:a", b"1"), (f"{prefix}:b", b"\x00\xff")], MINUTE)
    assert store.get([f"{prefix}:b", f"{prefix}:none", f"{prefix}:a"]) == [b"\x00\xff", None, b"1"]


def test_putting_again_replaces(store: Store, prefix: str) -> None:
    store.put([(f"{prefix}:a", b"1")], MINUTE)
    store.put([(f"{prefix}:a", b"2")], MINUTE)
    assert store.get([f"{prefix}:a"]) == [b"2"]


def test_nothing_is_no_fault(store: Store) -> None:
    store.put([], MINUTE)
    store.delete([])
    assert store.get([]) == []
    assert store.extend([], MINUTE) == []


def test_deleted_keys_are_gone_and_absent_ones_no_fault(store: Store, prefix: str) -> None:
    store.put([(f"{prefix}:a", b"1"), (f"{prefix}:b", b"2")], MINUTE)
    store.delete([f"{prefix}:a", f"{prefix}:none"])
    assert store.get([f"{prefix}:a", f"{prefix}:b"]) == [None, b"2"]


def test_a_key_ends_with_its_time_to_live(store: Store, prefix: str) -> None:
    store.put([(f"{prefix}:short", b"1")], 50)
    store.put([(f"{prefix}:long", b"2")], MINUTE)
    time.sleep(0.1)
    assert store.get([f"{prefix}:short", f"{prefix}:long"]) == [None, b"2"]


def test_replacing_keeps_the_time_to_live_and_makes_no_key(store: Store, prefix: str) -> None:
    store.put([(f"{prefix}:a", b"1")], 300)
    store.replace(f"{prefix}:a", b"2")
    store.replace(f"{prefix}:none", b"2")
    assert store.get([f"{prefix}:a", f"{prefix}:none"]) == [b"2", None]
    time.sleep(0.4)
    assert store.get([f"{prefix}:a"]) == [None]


def test_extending_keeps_a_key_and_names_those_that_are_gone(store: Store, prefix: str) -> None:
    store.put([(f"{prefix}:a", b"1")], 200)
    assert store.extend([f"{prefix}:a", f"{prefix}:none"], MINUTE) == [f"{prefix}:none"]
    time.sleep(0.3)
    assert store.get([f"{prefix}:a"]) == [b"1"]


def test_a_scan_finds_the_keys_of_one_view_of_every_version(store: Store, prefix: str) -> None:
    mine = {entity_key(prefix, version, "orders", "42") for version in ("1111aaaa", "2222bbbb")}
    others = [
        entity_key(prefix, "1111aaaa", "orders_more", "42"),
        entity_key(f"{prefix}x", "1111aaaa", "orders", "42"),
        f"{prefix}:view:orders",
    ]
    store.put([(key, b"1") for key in (*mine, *others)], MINUTE)
    assert set(store.scan(prefix, "orders")) == mine


def test_no_entity_can_touch_the_key_of_another(store: Store, prefix: str) -> None:
    columns = [("name", VARCHAR)]
    keys = {name: entity_key(prefix, "1111aaaa", "people", entity_text(name, columns)) for name in HOSTILE}
    assert len(set(keys.values())) == len(HOSTILE)
    store.put([(key, name.encode()) for name, key in keys.items()], MINUTE)
    assert store.get(list(keys.values())) == [name.encode() for name in keys]
    assert set(store.scan(prefix, "people")) == set(keys.values())
    store.delete([keys["*"], keys[""], keys["}:view:hash"]])
    left = [value for value in store.get(list(keys.values())) if value is not None]
    assert len(left) == len(HOSTILE) - 3


def test_many_keys_at_once(store: Store, prefix: str) -> None:
    values = [(f"{prefix}:{number}", str(number).encode()) for number in range(3_000)]
    store.put(values, MINUTE)
    assert store.get([key for key, _ in values]) == [value for _, value in values]


def test_one_store_serves_many_threads(store: Store, prefix: str) -> None:
    store.put([(f"{prefix}:{number}", str(number).encode()) for number in range(50)], MINUTE)
    faults: list[object] = []

    def work() -> None:
        for number in range(50):
            (got,) = store.get([f"{prefix}:{number}"])
            if got != str(number).encode():
                faults.append((number, got))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


def test_another_client_sees_what_was_put(store: Store, store_url: str, prefix: str) -> None:
    store.put([(f"{prefix}:a", b"1")], MINUTE)
    other = open_store(store_url)
    assert other.get([f"{prefix}:a"]) == [b"1"]
    other.close()
    other.close()


def test_a_store_of_its_own_keeps_every_key(store: Store) -> None:
    assert store.evicts() is None


@pytest.mark.parametrize("password", ["hunter2", "p%40ss"])
def test_no_name_tells_a_password(password: str) -> None:
    assert password not in open_store(f"redis://me:{password}@example.test:1234/0").name
