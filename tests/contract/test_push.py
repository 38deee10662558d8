"""A push into every store: read back, every value is the offline table's, at every instant to the horizon."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
import redis

from fsync import wire
from fsync.compile import plan_project
from fsync.errors import InputError, LeaseLost, NotBuilt, PushUnderWay
from fsync.instant import to_datetime, to_milliseconds
from fsync.language.duration import parse_duration
from fsync.lease import Lease
from fsync.plan import View
from fsync.push import push_view
from fsync.read import Reader, Status
from fsync.rollback import roll_back
from fsync.spec.project import Project, open_project
from fsync.store import Store, open_store
from fsync.warehouse.duckdb import Warehouse
from fsync.warehouse.profile import read_profile

AS_OF = to_milliseconds("1998-03-01")
DAY = parse_duration("1d")
HORIZON = parse_duration("40d")
#: a customer who bought something in the month before
BUYER = 111


@pytest.fixture
def project(warehouse: Path) -> Project:
    return open_project(warehouse)


@pytest.fixture
def views(project: Project) -> tuple[View, ...]:
    return plan_project(project).views


@pytest.fixture
def tables(project: Project) -> Iterator[Warehouse]:
    with Warehouse(read_profile(project)) as opened:
        yield opened


def held(store: Store, prefix: str, view: View) -> dict[str, bytes]:
    """Every key of a view's version, and what it holds."""
    found: dict[str, bytes] = {}
    for batch in store.scan(*wire.around_entity(prefix, view.name, view.hash)):
        found |= zip(batch["key"].to_pylist(), batch["value"].to_pylist(), strict=True)
    return found


def served(store: Store, prefix: str, view: View) -> wire.Meta | None:
    (value,) = store.get([wire.meta_key(prefix, view.name)])
    return None if value is None else wire.decode_meta(value)


def texts(*values: str) -> pa.Array:
    return pa.array(values, pa.string())


@pytest.fixture(params=["the store's word", "a record"])
def record(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    """Where a push learns what the store holds: from the store, or from what it kept itself."""
    return tmp_path / ".fsync" / "record" if request.param == "a record" else None


def test_online_is_offline_at_every_instant_up_to_the_horizon(
    views: tuple[View, ...], tables: Warehouse, store: Store, prefix: str, project: Project
) -> None:
    randomly = random.Random(1998)
    customers = [42, 1, *randomly.sample(range(1, 2_001), 60)]
    with duckdb.connect(str(read_profile(project).path), read_only=True) as offline:
        for view in views:
            push_view(view, tables, store, as_of=AS_OF, horizon=HORIZON, prefix=prefix)
            reader = Reader(store, prefix=prefix)
            names = ", ".join(planned.name for planned in view.features)
            query = (
                f"select user_id, {names} from {view.name} "
                f"where user_id in {tuple(customers)} and valid_from < ? and ? <= valid_to"
            )
            boundaries = offline.execute(
                f"select distinct valid_from from {view.name} where user_id in {tuple(customers)} "
                "and valid_from between ? and ?",
                [to_datetime(AS_OF), to_datetime(AS_OF + HORIZON.milliseconds)],
            ).fetchall()
            instants = {to_milliseconds(row[0]) + step for row in boundaries for step in (-1, 0, 1)}
            instants |= {randomly.randint(AS_OF, AS_OF + HORIZON.milliseconds) for _ in range(20)}
            instants |= {AS_OF, AS_OF + HORIZON.milliseconds}
            seen = set()
            meta = reader.meta(view.name)
            assert meta is not None
            for at in sorted(at for at in instants if AS_OF <= at <= meta.horizon):
                rows = offline.execute(query, [to_datetime(at), to_datetime(at)]).fetchall()
                values = {row[0]: row[1:] for row in rows}
                for reading in reader.read_many(view.name, customers, at=at):
                    expected = values.get(reading.key, meta.empty)
                    assert tuple(reading.values.values()) == expected, (view.name, reading.key, to_datetime(at))
                    seen.add(expected)
            assert len(seen) > 20, "the values differ from customer to customer and from day to day"


def test_progress_goes_up_to_all_keys(views: tuple[View, ...], tables: Warehouse, store: Store, prefix: str) -> None:
    seen: list[tuple[int, int | None]] = []
    push_view(views[1], tables, store, as_of=AS_OF, prefix=prefix, progress=lambda *step: seen.append(step))
    assert seen[-1] == (2_000, 2_000)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_pushing_twice_is_pushing_once(
    views: tuple[View, ...], tables: Warehouse, store: Store, prefix: str, record: Path | None
) -> None:
    for view in views:
        record = record and record / view.name
        first = push_view(view, tables, store, as_of=AS_OF, prefix=prefix, record=record)
        before, meta = held(store, prefix, view), served(store, prefix, view)
        assert meta is not None
        second = push_view(view, tables, store, as_of=AS_OF, prefix=prefix, record=record)
        assert (first.new, first.changed, first.unchanged, first.deleted) == (len(before), 0, 0, 0)
        assert (second.written, second.unchanged, second.deleted) == (0, first.written, 0)
        assert held(store, prefix, view) == before
        again = served(store, prefix, view)
        assert again is not None
        assert replace(again, push=meta.push) == meta
        assert meta.rows == len(before) == first.keys == second.keys


def test_a_later_push_is_what_a_clean_one_would_be(
    views: tuple[View, ...], tables: Warehouse, store: Store, prefix: str, record: Path | None
) -> None:
    view = views[0]
    first = push_view(view, tables, store, as_of=to_milliseconds("1997-04-01"), prefix=prefix, record=record)
    before = held(store, prefix, view)
    moved = push_view(view, tables, store, as_of=AS_OF, prefix=prefix, record=record)
    push_view(view, tables, store, as_of=AS_OF, prefix=f"{prefix}-clean")
    after = {key.replace("-clean", "", 1): value for key, value in held(store, f"{prefix}-clean", view).items()}
    assert held(store, prefix, view) == after
    assert moved.deleted == len(before.keys() - after.keys()) > 0, "customers whose windows have emptied lose their key"
    assert moved.new == len(after.keys() - before.keys())
    assert moved.changed == sum(before[key] != after[key] for key in before.keys() & after.keys()) > 0
    assert moved.unchanged == first.keys - moved.changed - moved.deleted


def test_a_record_is_believed_and_the_store_not_read(
    views: tuple[View, ...], tables: Warehouse, store: Store, prefix: str, tmp_path: Path
) -> None:
    """What it is for: a key that somebody removes by hand is not seen to be missing, until the push is a full one."""
    view = views[1]
    push = partial(push_view, view, tables, store, prefix=prefix, record=tmp_path / "record")
    noon = AS_OF + 12 * 3_600_000  # around which no change begins, nor around the horizon
    push(as_of=noon)
    gone = wire.entity_key(prefix, view.hash, view.name, str(BUYER))
    store.delete(texts(gone))
    assert push(as_of=noon).written == 0
    assert push(as_of=noon + 1).written == 0
    assert store.get([gone]) == [None]
    full = push(as_of=noon, full=True)
    assert (full.new, full.changed, full.unchanged) == (1, 1_999, 0)
    assert store.get([gone]) != [None]


def test_a_store_that_was_emptied_gets_everything(
    views: tuple[View, ...], tables: Warehouse, store: Store, prefix: str, record: Path | None
) -> None:
    view = views[1]
    push = partial(push_view, view, tables, store, as_of=AS_OF, prefix=prefix, record=record)
    push()
    before = held(store, prefix, view)
    store.delete(texts(*before, wire.meta_key(prefix, view.name), wire.version_key(prefix, view.name, view.hash)))
    assert (push().new, held(store, prefix, view)) == (2_000, before)


def test_a_push_from_elsewhere_is_noticed(
    views: tuple[View, ...], tables: Warehouse, store: Store, prefix: str, tmp_path: Path
) -> None:
    view = views[0]
    here, there = (partial(push_view, view, tables, store, prefix=prefix, record=tmp_path / name) for name in "ab")
    here(as_of=AS_OF)
    before = held(store, prefix, view)
    assert there(as_of=to_milliseconds("1997-06-01")).written > 0
    assert here(as_of=AS_OF).written > 0
    assert held(store, prefix, view) == before


@pytest.mark.parametrize("damage", ["last.json", "*.parquet"])
def test_a_damaged_record_is_not_believed(
    views: tuple[View, ...], tables: Warehouse, store: Store, prefix: str, tmp_path: Path, damage: str
) -> None:
    push = partial(push_view, views[0], tables, store, prefix=prefix, record=tmp_path / "record")
    push(as_of=AS_OF)
    (file,) = (tmp_path / "record").glob(damage)
    file.unlink() if damage == "*.parquet" else file.write_text("{")
    june = to_milliseconds("1997-06-01")
    assert push(as_of=june).written > 0
    push_view(views[0], tables, store, prefix=f"{prefix}-clean", as_of=june)
    clean = {key.replace("-clean", "", 1): value for key, value in held(store, f"{prefix}-clean", views[0]).items()}
    assert held(store, prefix, views[0]) == clean
    assert sorted(path.suffix for path in (tmp_path / "record").iterdir()) == [".json", ".parquet"]


def test_what_is_unchanged_lives_on_with_the_meta(
    views: tuple[View, ...], tables: Warehouse, store: Store, prefix: str, record: Path | None
) -> None:
    """Else a key would end before the meta does, and be read as empty."""
    view = views[1]
    end = to_milliseconds("1998-07-01")  # after which nothing is known to change
    push = partial(push_view, view, tables, store, as_of=end, prefix=prefix, record=record)
    push(horizon=DAY)
    if record is not None:
        assert push(horizon=DAY).extended == 0, "they live for long enough"
    again = push(horizon=parse_duration("5d"))
    assert (again.written, again.unchanged, again.extended) == (0, 2_000, 2_000)
    meta_lives = store.lives(wire.meta_key(prefix, view.name))
    assert meta_lives is not None
    assert meta_lives > 5 * DAY.milliseconds
    assert all((store.lives(key) or 0) > meta_lives for key in list(held(store, prefix, view))[:200])
    assert (store.lives(wire.version_key(prefix, view.name, view.hash)) or 0) > meta_lives


def test_keys_that_turn_out_to_be_gone_when_they_are_extended_are_written(
    views: tuple[View, ...], tables: Warehouse, store: Store, prefix: str, tmp_path: Path
) -> None:
    view = views[1]
    push = partial(push_view, view, tables, store, as_of=AS_OF, prefix=prefix, record=tmp_path / "record")
    push(horizon=DAY)
    before = held(store, prefix, view)
    store.delete(texts(*list(before)[:5]))
    again = push(horizon=parse_duration("5d"))
    assert again.new == 5
    assert set(held(store, prefix, view)) == set(before)


def test_the_time_after_a_build_is_not_known(
    views: tuple[View, ...], tables: Warehouse, store: Store, prefix: str
) -> None:
    built_at = tables.table(views[0]).built_at
    with pytest.raises(InputError, match="knows nothing of the time until"):
        push_view(views[0], tables, store, as_of=built_at + 1, prefix=prefix)
    assert push_view(views[0], tables, store, prefix=prefix).as_of == built_at


def test_a_key_that_no_entity_claims_any_more_is_deleted(
    views: tuple[View, ...], tables: Warehouse, store: Store, prefix: str
) -> None:
    view = views[1]
    push_view(view, tables, store, as_of=AS_OF, prefix=prefix)
    stray = wire.entity_key(prefix, view.hash, view.name, "999999")
    older = wire.entity_key(prefix, "0ld0ld00", view.name, "42")
    store.write(texts(stray, older), texts("[]", "[]"), 60_000)
    report = push_view(view, tables, store, as_of=AS_OF, prefix=prefix)
    assert report.deleted == 1
    assert store.get([stray, older]) == [None, b"[]"], "keys of another version are left to end by themselves"


def test_a_dry_run_counts_and_writes_nothing(
    views: tuple[View, ...], tables: Warehouse, store: Store, prefix: str, record: Path | None
) -> None:
    view = views[0]
    for day in ("1997-04-01", "1998-03-01"):
        push = partial(push_view, view, tables, store, as_of=to_milliseconds(day), prefix=prefix, record=record)
        before, meta = held(store, prefix, view), served(store, prefix, view)
        dry = push(dry_run=True)
        assert (held(store, prefix, view), served(store, prefix, view)) == (before, meta)
        real = push()
        assert replace(dry, seconds=0, dry_run=False, extended=0) == replace(real, seconds=0, extended=0)
        assert dry.written > 0


def test_an_entity_at_its_empty_values_has_a_key_only_when_it_was_asked_for(
    views: tuple[View, ...], tables: Warehouse, store: Store, prefix: str
) -> None:
    view = views[0]
    late = to_milliseconds("2026-01-01")
    sparse = push_view(view, tables, store, as_of=late, prefix=prefix)
    assert sparse.written == 0
    empty = Reader(store, prefix=prefix).read(view.name, 42, at=late)
    assert set(empty.status.values()) == {Status.EMPTY}
    assert empty["user_30d_purchase_count"] == 0
    assert empty["user_30d_avg_spend"] is None

    dense = push_view(view, tables, store, as_of=late, prefix=prefix, sparse=False)
    assert dense.written == dense.keys == 2_000
    reader = Reader(store, prefix=prefix)
    assert reader.read(view.name, 42, at=late).values == empty.values
    assert reader.read(view.name, 42, at=late).status == empty.status
    unknown = reader.read(view.name, 99_999_999, at=late)
    assert set(unknown.status.values()) == {Status.MISSING}


def test_statuses(views: tuple[View, ...], tables: Warehouse, store: Store, prefix: str) -> None:
    view = views[0]
    reader = Reader(store, prefix=prefix)
    count = "user_30d_purchase_count"  # its SLA is 5 minutes
    spend = "user_30d_spend"  # its SLA is 1 hour
    before = reader.read(view.name, BUYER, at=AS_OF)
    assert (before.is_missing, before.values, before.as_of) == (True, {}, None)

    push_view(view, tables, store, as_of=AS_OF, horizon=DAY, prefix=prefix)

    def status(at: int) -> tuple[Status, Status]:
        reading = reader.read(view.name, BUYER, at=at)
        return reading.status[count], reading.status[spend]

    assert status(AS_OF) == (Status.OK, Status.OK)
    assert status(AS_OF + 7 * 60_000) == (Status.OK, Status.OK)
    assert status(AS_OF + 7 * 60_000 + 1) == (Status.STALE, Status.OK)
    assert status(AS_OF + 62 * 60_000 + 1) == (Status.STALE, Status.STALE)
    assert status(to_milliseconds("1997-02-01")) == (Status.MISSING, Status.MISSING)
    assert reader.read(view.name, 99_999_999, at=AS_OF).status[count] is Status.EMPTY
    now = reader.read(view.name, BUYER)
    assert set(now.status.values()) == {Status.STALE}
    assert now[count] is not None, "a stale value is still the last known"


def test_a_key_of_another_type_is_refused(
    views: tuple[View, ...], tables: Warehouse, store: Store, prefix: str
) -> None:
    push_view(views[1], tables, store, as_of=AS_OF, prefix=prefix)
    reader = Reader(store, prefix=prefix)
    assert reader.read(views[1].name, "0042", at=AS_OF).values == reader.read(views[1].name, 42, at=AS_OF).values
    for key in ("forty-two", 4.2, True, None, (1, 2)):
        with pytest.raises(InputError, match="user_id"):
            reader.read(views[1].name, key, at=AS_OF)


class CutOff(Exception):
    """The pusher dies here."""


class Dying:
    """A store whose client dies after some writes, each of which reached the store."""

    def __init__(self, store: Store, writes: int) -> None:
        self._store = store
        self._left = writes

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if name not in ("write", "extend", "delete", "switch"):
            return method

        def call(*arguments: Any, **named: Any) -> Any:
            if self._left == 0:
                raise CutOff
            self._left -= 1
            if name == "write":  # a batch that gets through in part
                keys, values, ttl = arguments
                method(keys.slice(0, len(keys) // 2), values.slice(0, len(keys) // 2), ttl, **named)
                if self._left == 0:
                    raise CutOff
            return method(*arguments, **named)

        return call


@pytest.mark.parametrize(("first", "second"), [("1997-04-01", "1997-05-11"), ("1997-05-11", "1997-04-01")])
def test_a_push_that_is_cut_off_serves_no_wrong_value(
    first: str,
    second: str,
    views: tuple[View, ...],
    tables: Warehouse,
    store: Store,
    prefix: str,
    project: Project,
    record: Path | None,
) -> None:
    view = views[0]
    reader = Reader(store, prefix=prefix)
    customers = range(1, 400)
    names = ", ".join(planned.name for planned in view.features)
    query = f"select user_id, {names} from {view.name} where user_id < 400 and valid_from < ? and ? <= valid_to"
    days = [to_milliseconds("1997-03-30") + day * 86_400_000 for day in range(0, 50, 3)]
    with duckdb.connect(str(read_profile(project).path), read_only=True) as offline:
        rows = {day: offline.execute(query, [to_datetime(day)] * 2).fetchall() for day in days}
    right = {day: {row[0]: row[1:] for row in found} for day, found in rows.items()}
    served = 0
    push = partial(push_view, view, tables, prefix=prefix, record=record)
    for writes in range(3):  # the announcement, the values, the switch
        push(store, as_of=to_milliseconds(first), horizon=HORIZON)
        clean = held(store, prefix, view)
        with pytest.raises(CutOff):
            push(Dying(store, writes), as_of=to_milliseconds(second), horizon=DAY)
        meta = reader.meta(view.name)
        assert meta is not None
        for day in days:
            for reading in reader.read_many(view.name, list(customers), at=day):
                if reading.is_missing or day > meta.horizon:
                    continue
                assert tuple(reading.values.values()) == right[day].get(reading.key, meta.empty), (writes, reading)
                served += 1
        push(store, as_of=to_milliseconds(first), horizon=HORIZON)
        assert held(store, prefix, view) == clean
    assert served > 1_000


def test_a_table_of_another_version_is_refused(
    project: Project, tables: Warehouse, store: Store, prefix: str, views: tuple[View, ...]
) -> None:
    with pytest.raises(NotBuilt, match="another version"):
        push_view(replace(views[0], hash="00000000"), tables, store, prefix=prefix)
    with pytest.raises(NotBuilt, match="is not built"):
        push_view(replace(views[0], name="nothing"), tables, store, prefix=prefix)


def test_a_redis_that_may_drop_keys_is_refused_unless_empties_are_stored(
    views: tuple[View, ...], tables: Warehouse, redis_url: str, prefix: str
) -> None:
    client = redis.Redis.from_url(redis_url)
    client.config_set("maxmemory", "1gb")
    client.config_set("maxmemory-policy", "allkeys-lru")
    store = open_store(redis_url)
    try:
        with pytest.raises(InputError, match="allkeys-lru"):
            push_view(views[0], tables, store, as_of=AS_OF, prefix=prefix)
        report = push_view(views[0], tables, store, as_of=AS_OF, prefix=prefix, sparse=False)
        assert report.written == report.keys == 2_000
    finally:
        client.config_set("maxmemory", "0")
        client.config_set("maxmemory-policy", "noeviction")
        store.close()
        client.close()


def test_a_person_can_read_what_redis_holds(
    views: tuple[View, ...], tables: Warehouse, redis_url: str, prefix: str
) -> None:
    """The bytes of the contract, written out by hand."""
    view = next(view for view in views if view.name == "user_lifetime")
    store = open_store(redis_url)
    push_view(view, tables, store, as_of=to_milliseconds("1997-01-02"), prefix=prefix)
    client = redis.Redis.from_url(redis_url)
    # customer 42 bought 3 CDs for 26.55 on 1997-01-01, and 1 for 11.77 on 1997-01-02
    value = client.get(f"{prefix}:{{42}}:user_lifetime:{view.hash}")
    assert value == b'[[852076800000,[3,"26.55"]],[852163200000,[1,"38.32"]]]'
    ttl = client.pttl(f"{prefix}:{{42}}:user_lifetime:{view.hash}")
    meta_ttl = client.pttl(f"{prefix}:view:user_lifetime")
    assert 0 < meta_ttl < ttl, "no key ends before the meta does"
    client.close()
    store.close()


# ---------------------------------------------------------------- versions


def test_a_new_version_goes_in_beside_the_old_and_back_again(
    views: tuple[View, ...], tables: Warehouse, store: Store, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = views[0]
    newer = as_another_version(view, monkeypatch)
    push_view(view, tables, store, as_of=AS_OF, prefix=prefix)
    before = held(store, prefix, view)
    with pytest.raises(InputError, match=f"no version of {view.name} was served before {view.hash}"):
        roll_back(view.name, store, prefix=prefix)
    assert push_view(newer, tables, store, as_of=AS_OF + 1, prefix=prefix).new > 0
    assert held(store, prefix, view) == before, "the old keys are left to those that read them"
    for there, back in ((newer, view), (view, newer)):
        meta = served(store, prefix, view)
        assert meta is not None
        assert (meta.hash, meta.replaces) == (there.hash, back.hash)
        report = roll_back(view.name, store, prefix=prefix)
        assert (report.hash, report.replaces) == (back.hash, there.hash)
        assert (store.lives(wire.meta_key(prefix, view.name)) or 0) <= report.lives
    with pytest.raises(InputError, match="is what is served"):
        roll_back(view.name, store, prefix=prefix, to=newer.hash)
    with pytest.raises(InputError, match="have expired"):
        roll_back(view.name, store, prefix=prefix, to="01234567")
    with pytest.raises(InputError, match="was not pushed"):
        roll_back("nothing", store, prefix=prefix)
    with pytest.raises(CutOff):
        push_view(view, tables, Dying(store, 2), as_of=to_milliseconds("1997-06-01"), prefix=prefix)
    with pytest.raises(InputError, match="was cut off"):
        roll_back(view.name, store, prefix=prefix)


def test_after_a_rollback_a_push_goes_on_from_what_it_knows(
    views: tuple[View, ...],
    tables: Warehouse,
    store: Store,
    prefix: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    view = views[0]
    newer = as_another_version(view, monkeypatch)
    old = partial(push_view, view, tables, store, as_of=AS_OF, prefix=prefix, record=tmp_path / "old")
    new = partial(push_view, newer, tables, store, as_of=AS_OF, prefix=prefix, record=tmp_path / "new")
    old()
    new()
    roll_back(view.name, store, prefix=prefix)
    assert old().written == new().written == 0
    meta = served(store, prefix, view)
    assert meta is not None
    assert (meta.hash, meta.replaces) == (newer.hash, view.hash)


def test_readers_that_run_through_switches_see_whole_versions(
    views: tuple[View, ...],
    tables: Warehouse,
    store: Store,
    store_url: str,
    prefix: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two versions, each of another instant and so of other values; pushes and rollbacks go on while others read."""
    view = views[0]
    newer = as_another_version(view, monkeypatch)
    instants = {view.hash: AS_OF, newer.hash: to_milliseconds("1997-04-15")}
    customers = list(range(1, 80))
    expected: dict[int, list[Any]] = {}
    for version in (view, newer):
        push_view(version, tables, store, as_of=instants[version.hash], prefix=prefix)
        with Reader(store_url, prefix=prefix) as reader:
            at = instants[version.hash]
            expected[at] = [reading.values for reading in reader.read_many(view.name, customers, at=at)]
    assert expected[AS_OF] != expected[instants[newer.hash]]
    seen: set[int] = set()
    faults: list[object] = []
    is_over = threading.Event()

    def watch(cache: int) -> None:
        try:
            with Reader(store_url, prefix=prefix, cache=cache, cache_seconds=0.005) as reader:
                while not is_over.is_set():
                    # in the time that both answer for, each says what was so as of its own push
                    readings = reader.read_many(view.name, customers, at=None)
                    as_of = readings[0].as_of
                    assert as_of is not None
                    assert {reading.as_of for reading in readings} == {as_of}
                    again = reader.read_many(view.name, customers, at=as_of)
                    if again[0].as_of == as_of:
                        seen.add(as_of)
                        assert [reading.values for reading in again] == expected[as_of]
        except Exception as fault:
            faults.append(fault)

    threads = [threading.Thread(target=watch, args=(cache,)) for cache in (0, 1_000)]
    for thread in threads:
        thread.start()
    for turn in range(9):
        if turn % 3 == 2:
            roll_back(view.name, store, prefix=prefix)
        else:
            version = (view, newer)[turn % 2]
            push_view(version, tables, store, as_of=instants[version.hash], prefix=prefix, full=turn % 5 == 0)
    is_over.set()
    for thread in threads:
        thread.join()
    assert faults == []
    assert seen == set(expected)


def as_another_version(view: View, monkeypatch: pytest.MonkeyPatch) -> View:
    """The same view under another hash, for which its table is taken too."""
    newer = replace(view, hash="feedf00d")
    found = Warehouse.table
    monkeypatch.setattr(Warehouse, "table", lambda self, asked: found(self, replace(asked, hash=view.hash)))
    return newer


# ---------------------------------------------------------------- one pusher at a time


def test_a_second_pusher_is_told_who_is_at_it(
    views: tuple[View, ...], tables: Warehouse, store: Store, store_url: str, prefix: str
) -> None:
    other = open_store(store_url)
    with Lease(other, prefix, views[0].name):
        with pytest.raises(PushUnderWay, match=rf"is being pushed to .* by process {os.getpid()} on .*, since 20"):
            push_view(views[0], tables, store, as_of=AS_OF, prefix=prefix)
        push_view(views[1], tables, store, as_of=AS_OF, prefix=prefix)
        push_view(views[0], tables, store, as_of=AS_OF, prefix=prefix, dry_run=True)
        assert served(store, prefix, views[0]) is None
    assert push_view(views[0], tables, store, as_of=AS_OF, prefix=prefix).written > 0
    other.close()


def test_a_lease_is_renewed_while_it_is_held_and_given_back(store: Store, prefix: str) -> None:
    with Lease(store, prefix, "orders", ttl=1_500) as lease:
        time.sleep(2)
        lease.check()
        with pytest.raises(PushUnderWay), Lease(store, prefix, "orders"):
            pass
    with Lease(store, prefix, "orders"):
        pass


def test_a_holder_that_has_lost_its_lease_writes_nothing(
    views: tuple[View, ...],
    tables: Warehouse,
    store: Store,
    store_url: str,
    prefix: str,
    monkeypatch: pytest.MonkeyPatch,
    project: Project,
) -> None:
    """A pusher that is held up in the middle, as if its process were stopped; another one comes and goes meanwhile."""
    view = views[0]
    push_view(view, tables, store, as_of=to_milliseconds("1997-04-01"), prefix=prefix)
    monkeypatch.setattr("fsync.lease.LEASE_MS", 2_000)
    monkeypatch.setattr(Lease, "_renew", lambda self: None)
    other = open_store(store_url)
    expected: dict[str, bytes] = {}

    class HeldUp(Dying):
        def __getattr__(self, name: str) -> Any:
            method = getattr(self._store, name)
            if name != "write":
                return method

            def call(*arguments: Any, **named: Any) -> Any:
                time.sleep(2.1)
                if not expected:
                    monkeypatch.undo()
                    with Warehouse(read_profile(project)) as again:
                        push_view(view, again, other, as_of=AS_OF, prefix=prefix)
                    expected.update(held(other, prefix, view))
                return method(*arguments, **named)

            return call

    with pytest.raises(LeaseLost, match="held up for longer than its lease"):
        push_view(view, tables, HeldUp(store, 0), as_of=to_milliseconds("1997-06-01"), prefix=prefix)
    meta = served(store, prefix, view)
    assert meta is not None
    assert meta.as_of == AS_OF
    assert held(store, prefix, view) == expected
    other.close()
