"""What a reading says of its values, from a meta and a value written by hand."""

from __future__ import annotations

import sqlite3
from decimal import Decimal
from importlib import import_module
from pathlib import Path

import pyarrow as pa
import pytest

from fsync import Reader, Status, read
from fsync.errors import InputError, StoreOutOfReach
from fsync.language.types import BIGINT, decimal
from fsync.store.sqlite import SqliteStore
from fsync.wire import FeatureMeta, Meta, encode_meta

DAY = 86_400_000
META = Meta(
    view="v",
    hash="0123abcd",
    entity=(("user_id", BIGINT),),
    features=(
        FeatureMeta("orders", BIGINT, 0, None, ()),
        FeatureMeta("spend", decimal(38, 2), Decimal("0.00"), DAY, ()),
    ),
    as_of=10 * DAY,
    since=10 * DAY,
    horizon=12 * DAY,
    rows=1,
    sparse=True,
    push="0123456789abcdef",
    replaces=None,
)
# two orders since day 9; one after day 11
VALUE = f'[[{9 * DAY},[2,"5.00"]],[{11 * DAY},[1,"0.00"]]]'.encode()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    store = SqliteStore(tmp_path / "online.sqlite")
    keys, values = ["fs:view:v", "fs:{42}:v:0123abcd"], [encode_meta(META).decode(), VALUE.decode()]
    store.write(pa.array(keys), pa.array(values), DAY)
    store.close()
    return tmp_path / "online.sqlite"


OK, EMPTY, STALE, MISSING = Status.OK, Status.EMPTY, Status.STALE, Status.MISSING


@pytest.mark.parametrize(
    ("key", "at", "values", "statuses"),
    [
        (42, 9 * DAY, [None, None], [MISSING, MISSING]),
        (42, 9 * DAY + 1, [2, Decimal("5.00")], [OK, OK]),
        (42, 10 * DAY, [2, Decimal("5.00")], [OK, OK]),
        (42, 11 * DAY, [2, Decimal("5.00")], [OK, OK]),
        (42, 11 * DAY + 1, [1, Decimal("0.00")], [OK, EMPTY]),
        (42, 11 * DAY + 120_000, [1, Decimal("0.00")], [OK, EMPTY]),
        (42, 11 * DAY + 120_001, [1, Decimal("0.00")], [OK, STALE]),
        (42, 12 * DAY, [1, Decimal("0.00")], [OK, STALE]),
        (42, 12 * DAY + 1, [1, Decimal("0.00")], [STALE, STALE]),
        (43, 10 * DAY, [0, Decimal("0.00")], [EMPTY, EMPTY]),
        (43, 10 * DAY - 1, [None, None], [MISSING, MISSING]),
        (43, 12 * DAY + 1, [0, Decimal("0.00")], [STALE, STALE]),
    ],
)
def test_values_and_statuses(path: Path, key: int, at: int, values: list[object], statuses: list[Status]) -> None:
    with Reader(f"sqlite:///{path}") as reader:
        reading = reader.read("v", key, at=at)
    assert list(reading.values.values()) == values
    assert list(reading.status.values()) == statuses
    assert reading.is_missing == (statuses == [MISSING, MISSING])


def test_a_reader_whose_clock_is_behind_reads_as_of_the_push(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # the name `fsync.read` is the function; the module behind it keeps its clock
    monkeypatch.setattr(import_module("fsync.read"), "now", lambda: 8 * DAY)
    with Reader(f"sqlite:///{path}") as reader:
        assert reader.read("v", 42)["orders"] == 2
        assert reader.read("v", 43)["orders"] == 0


def test_the_configured_store_is_read(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FSYNC_ONLINE", f"sqlite:///{path}")
    assert read("v", 42, at=10 * DAY)["orders"] == 2
    monkeypatch.setenv("FSYNC_PREFIX", "other")
    assert read("v", 42, at=10 * DAY).is_missing
    monkeypatch.delenv("FSYNC_ONLINE")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="no online store"):
        read("v", 42)


def test_a_project_around_the_current_folder_has_the_store(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (path.parent / "dbt_project.yml").write_text("name: shop\n")
    (path.parent / "below").mkdir()
    monkeypatch.chdir(path.parent / "below")
    assert read("v", 42, at=10 * DAY)["orders"] == 2


def test_a_file_that_is_no_store_is_out_of_reach(tmp_path: Path) -> None:
    (tmp_path / "junk.sqlite").write_bytes(b"junk" * 1000)
    with Reader(f"sqlite:///{tmp_path}/junk.sqlite") as reader, pytest.raises(StoreOutOfReach):
        reader.read("v", 42)
    with sqlite3.connect(tmp_path / "held.sqlite") as held:
        held.execute("create table entry (other text)")
    with Reader(f"sqlite:///{tmp_path}/held.sqlite") as reader, pytest.raises(StoreOutOfReach):
        reader.read("v", 42)


@pytest.mark.parametrize(
    "value",
    ["nonsense", "7", "[]x", '[["a",[1,"2"]]]', f"[[{9 * DAY},[1]]]", f'[[{9 * DAY},[1,"two"]]]', f"[[{9 * DAY},7]]"],
)
@pytest.mark.parametrize("cache", [0, 10])
def test_a_value_that_is_none_is_named(path: Path, value: str, cache: int) -> None:
    store = SqliteStore(path)
    store.write(pa.array(["fs:{7}:v:0123abcd"]), pa.array([value]), DAY)
    with (
        Reader(store, cache=cache) as reader,
        pytest.raises(InputError, match=r"holds something else where fs:\{7\}:v:0123abcd should be") as raised,
    ):
        reader.read_many("v", [42, 7], at=10 * DAY)
    assert "--full" in (raised.value.mend or "")
