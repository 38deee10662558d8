"""A push into every store: read back, every value is the offline table's, at every instant to the horizon."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import redis

from fsync import wire
from fsync.compile import plan_project
from fsync.errors import InputError, NotBuilt
from fsync.instant import to_datetime, to_milliseconds
from fsync.language.duration import parse_duration
from fsync.plan import View
from fsync.push import push_view
from fsync.read import Reader
from fsync.spec.project import Project, open_project
from fsync.store import Store, open_store
from fsync.warehouse.duckdb import Warehouse
from fsync.warehouse.profile import read_profile
from fsync.wire import Status

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


def _everything(store: Store, prefix: str, view: View) -> dict[str, bytes | None]:
    keys = [*sorted(store.scan(prefix, view.name)), wire.meta_key(prefix, view.name)]
    return dict(zip(keys, store.get(keys), strict=True))


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


def test_progress_goes_up_to_all_entities(
    views: tuple[View, ...], tables: Warehouse, store: Store, prefix: str
) -> None:
    seen: list[tuple[int, int]] = []
    push_view(views[1], tables, store, as_of=AS_OF, prefix=prefix, progress=lambda *step: seen.append(step))
    assert seen[-1] == (2_000, 2_000)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_pushing_twice_is_pushing_once(views: tuple[View, ...], tables: Warehouse, store: Store, prefix: str) -> None:
    for view in views:
        first = push_view(view, tables, store, as_of=AS_OF, prefix=prefix)
        before = _everything(store, prefix, view)
        second = push_view(view, tables, store, as_of=AS_OF, prefix=prefix)
        assert (first.written, first.unchanged, first.deleted) == (len(before) - 1, 0, 0)
        assert (second.written, second.unchanged, second.deleted) == (0, first.written, 0)
        assert _everything(store, prefix, view) == before


def test_a_later_push_is_what_a_clean_one_would_be(
    views: tuple[View, ...], tables: Warehouse, store: Store, prefix: str
) -> None:
    view = views[0]
    push_view(view, tables, store, as_of=to_milliseconds("1997-04-01"), prefix=prefix)
    moved = push_view(view, tables, store, as_of=AS_OF, prefix=prefix)
    assert moved.deleted > 0, "customers whose windows have emptied lose their key"
    push_view(view, tables, store, as_of=AS_OF, prefix=f"{prefix}-clean")
    renamed = {key.replace("-clean", ""): value for key, value in _everything(store, f"{prefix}-clean", view).items()}
    assert _everything(store, prefix, view) == renamed


def test_what_is_unchanged_lives_on_with_the_meta(
    views: tuple[View, ...], tables: Warehouse, redis_url: str, prefix: str
) -> None:
    """Else a key would end before the meta does, and be read as empty."""
    view = views[1]
    store, client = open_store(redis_url), redis.Redis.from_url(redis_url)
    end = to_milliseconds("1998-07-01")  # after which nothing is known to change
    push_view(view, tables, store, as_of=end, horizon=DAY, prefix=prefix)
    again = push_view(view, tables, store, as_of=end, horizon=parse_duration("2d"), prefix=prefix)
    assert (again.written, again.unchanged) == (0, 2_000)
    meta_ttl = client.pttl(wire.meta_key(prefix, view.name))
    assert 2 * DAY.milliseconds < meta_ttl
    assert all(client.pttl(key) > meta_ttl for key in store.scan(prefix, view.name))
    store.close()
    client.close()


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
    stray = wire.entity_key(prefix, view.hash, view.name, "999999")
    older = wire.entity_key(prefix, "0ld0ld00", view.name, "42")
    store.put([(stray, b"[]"), (older, b"[]")], 60_000)
    report = push_view(view, tables, store, as_of=AS_OF, prefix=prefix)
    assert report.deleted == 1
    assert store.get([stray, older]) == [None, b"[]"], "keys of another version are left to end by themselves"


def test_a_dry_run_counts_and_writes_nothing(
    views: tuple[View, ...], tables: Warehouse, store: Store, prefix: str
) -> None:
    view = views[0]
    dry = push_view(view, tables, store, as_of=AS_OF, prefix=prefix, dry_run=True)
    assert _everything(store, prefix, view) == {wire.meta_key(prefix, view.name): None}
    real = push_view(view, tables, store, as_of=AS_OF, prefix=prefix)
    assert (dry.written, dry.entities) == (real.written, real.entities)
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
    assert dense.written == dense.entities == 2_000
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
        if name not in ("put", "replace", "extend", "delete"):
            return method

        def call(*arguments: Any) -> Any:
            if self._left == 0:
                raise CutOff
            self._left -= 1
            return method(*arguments)

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
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("fsync.push._CHUNK", 100)  # so that there are many writes to die after
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
    for writes in (1, 2, 3, 8, 20):
        clean = push_view(view, tables, store, as_of=to_milliseconds(first), horizon=HORIZON, prefix=prefix)
        dying = Dying(store, writes)
        with pytest.raises(CutOff):
            push_view(view, tables, dying, as_of=to_milliseconds(second), horizon=DAY, prefix=prefix)
        meta = reader.meta(view.name)
        assert meta is not None
        for day in days:
            for reading in reader.read_many(view.name, list(customers), at=day):
                if reading.is_missing or day > meta.horizon:
                    continue
                assert tuple(reading.values.values()) == right[day].get(reading.key, meta.empty), (writes, reading)
                served += 1
        again = push_view(view, tables, store, as_of=to_milliseconds(first), horizon=HORIZON, prefix=prefix)
        assert again.written + again.unchanged == clean.written + clean.unchanged
    assert served > 1_000


def test_a_table_of_another_version_is_refused(
    project: Project, tables: Warehouse, store: Store, prefix: str, views: tuple[View, ...]
) -> None:
    from dataclasses import replace

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
        assert report.written == report.entities
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
