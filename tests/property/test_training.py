"""Training sets against the brute-force reference, and against what could be read online at the same instants.

FSYNC_TEST_SEED repeats a run, FSYNC_TEST_CASES makes it longer.
"""

from __future__ import annotations

import json
import os
import random
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from fsync.instant import to_datetime, to_milliseconds, to_text
from fsync.language.duration import parse_duration
from fsync.macro import Package
from fsync.plan import Plan, View
from fsync.push import push_services, push_view
from fsync.read import Reader
from fsync.sql.features import known_features
from fsync.store import open_store
from fsync.training import training_set
from fsync.warehouse.duckdb import Warehouse
from fsync.warehouse.profile import Profile
from tests.property.reference import DAY, HOUR, Event, daily, exactly, in_order
from tests.property.test_validity_table import SEED, VIEWS, equal, history, probes, source

#: labels that are held against the reference
CASES = int(os.environ.get("FSYNC_TEST_CASES", "10000"))
#: pushes, between which events arrive
PUSHES = int(os.environ.get("FSYNC_TEST_PUSHES", "8"))
KEYS = {"user_id": "who"}
HORIZON = parse_duration("3d")

Compiled = Mapping[str, tuple[View, str]]


@dataclass(frozen=True)
class Label:
    """`user` is an entity by its place, one that has no event, or None; `at` is in microseconds."""

    user: int | None
    at: int | None


def build(path: Path, compiled: Compiled, histories: Sequence[Sequence[Event]], built_at: int) -> None:
    """A warehouse of the views' tables, as a build of that time leaves it."""
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema property")
        connection.register("given", source(histories))
        connection.execute("create table property.events as from given")
        for name, (view, sql) in compiled.items():
            connection.execute(f"create table {name} as {sql}")
            stamp = {"fsync": {"view": name, "hash": view.hash, "built_at": to_text(built_at)}}
            connection.execute(f"comment on table {name} is '{json.dumps(stamp)}'")


#: how labels can say their times: a type, and microseconds as values of it
TIMES: dict[str, tuple[pa.DataType, Callable[[int], Any]]] = {
    "timestamp": (pa.timestamp("us"), lambda at: at),
    "zoned": (pa.timestamp("us", "Europe/Berlin"), lambda at: at),
    "nanoseconds": (pa.timestamp("ns"), lambda at: at * 1000 + 999),
    "text": (pa.string(), lambda at: f"{to_datetime(at // 1000).isoformat()[:19]}.{at % 1_000_000:06}Z"),
}


def table_of(labels: Sequence[Label], kind: str = "timestamp") -> pa.Table:
    of_type, written = TIMES[kind]
    times = [None if label.at is None else written(label.at) for label in labels]
    return pa.table(
        {
            "label_id": pa.array(range(len(labels)), pa.int64()),
            "who": pa.array([label.user for label in labels], pa.int64()),
            "Asked At": pa.array(times, of_type),
        }
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "warehouse.duckdb"


def opened(path: Path) -> Warehouse:
    return Warehouse(Profile("dev", path, "main"))


def rows_of(warehouse: Warehouse, query: str, features: Sequence[str]) -> list[tuple[Any, ...]]:
    """The features of each label, in the order of labels."""
    found = warehouse.to_arrow(f'select * replace (cast("Asked At" as varchar) as "Asked At") from ({query})')
    assert found.column_names == ["label_id", "who", "Asked At", *features]
    by_label = {row["label_id"]: tuple(row[name] for name in features) for row in found.to_pylist()}
    assert sorted(by_label) == list(range(found.num_rows)), "each label once"
    return [by_label[number] for number in range(found.num_rows)]


# ---------------------------------------------------------------- the reference


def asked(histories: Sequence[list[Event]], randomly: random.Random) -> Iterator[Label]:
    """Labels on and around every boundary, with digits that are cut off; and those that find nothing."""
    for user, events in enumerate(histories):
        instants = {instant for view in VIEWS for instant in probes(events, view, randomly)}
        for instant in randomly.sample(sorted(instants), min(len(instants), 12)):
            yield Label(user, instant * 1000 + randomly.choice((0, 0, 1, 999)))
    for at in (None, 0, to_milliseconds("2024-03-01") * 1000):
        yield Label(None, at)
        yield Label(10**9, at)
        yield Label(0, at)


def expected(label: Label, histories: Sequence[list[Event]], features: Sequence[str], *, inclusive: bool) -> Any:
    if label.at is None:
        return (None,) * len(features)
    known = label.user is not None and label.user < len(histories)
    events = in_order(histories[label.user]) if known and label.user is not None else []
    at = label.at // 1000 + inclusive
    values = {**exactly(events, at), **daily(events, at)}
    return tuple(values[name] for name in features)


@pytest.mark.parametrize("inclusive", [False, True])
@pytest.mark.parametrize("kind", TIMES)
def test_a_training_set_is_the_reference(
    kind: str, inclusive: bool, path: Path, compiled: Compiled, property_plan: Plan
) -> None:
    randomly = random.Random(SEED + inclusive)
    histories = [history(randomly) for _ in range(max(20, CASES // 96))]
    build(path, compiled, histories, to_milliseconds("2026-01-01"))
    labels = list(asked(histories, randomly))
    randomly.shuffle(labels)
    every = [planned.name for view in property_plan.views for planned in view.features]
    features = randomly.sample(every, len(every))
    with opened(path) as warehouse:
        given = table_of(labels, kind)
        keys = {"property_": {"user_id": "who"}, "property_daily": {"user_id": "who"}}
        found = training_set(warehouse, property_plan, given, "Asked At", features, keys=keys, inclusive=inclusive)
        rows = rows_of(warehouse, found.query, features)
        package = Package("macros/training", known_features(property_plan), lambda view: view)
        chosen = package.features_by_view(features, None, KEYS)
        arguments = ("fsync_given_labels", "Asked At", chosen, inclusive)
        few, many = (package.duckdb__point_in_time(*arguments, few=few) for few in (True, False))
        assert rows == rows_of(warehouse, few, features) == rows_of(warehouse, many, features)
        elsewhere = rows_of(warehouse, package.default__point_in_time(*arguments, few=True), features)
    assert len(rows) == len(labels)
    for label, row, other in zip(labels, rows, elsewhere, strict=True):
        right = expected(label, histories, features, inclusive=inclusive)
        assert all(map(equal, row, right)), f"seed {SEED}, {label}: {features}: {row}, {right}"
        assert all(map(equal, row, other)), "an engine without an as-of join has the same"
    assert few != many
    assert "semi join" in few
    print(f"\n{len(labels)} labels, {kind}, inclusive {inclusive}, seed {SEED}")


# ---------------------------------------------------------------- online


def test_what_could_be_read_online_is_the_training_row(
    path: Path, compiled: Compiled, property_plan: Plan, redis_url: str
) -> None:
    """Events arrive between pushes, some of them late; vectors are read at instants up to the horizon of each push.

    A vector is always the training row of the table that was pushed. It is that of the last table too, which knows
    all events, unless one that had not arrived by the push happened before the instant.
    """
    randomly = random.Random(SEED)
    start = to_milliseconds("2024-02-27")
    histories = [_busy(randomly, start) for _ in range(60)]
    arrivals = {
        id(event): event.at + randomly.choice((0, 0, 0, HOUR, 2 * DAY))
        for events in histories
        for event in events
        if event.at is not None
    }
    instants = sorted(start + randomly.randint(0, 40 * DAY) for _ in range(PUSHES))
    service = property_plan.service("property_model")
    features = [member.planned.name for member in service.members]
    prefix = f"test-{uuid.uuid4().hex}"
    vectors: list[tuple[Label, tuple[Any, ...], int]] = []
    users = [*range(len(histories)), 10**6]
    with closing(open_store(redis_url)) as store, Reader(store, prefix=prefix) as reader:
        for pushed_at in instants:
            known = [[event for event in events if _is_known(event, arrivals, pushed_at)] for events in histories]
            build(path, compiled, known, pushed_at)
            labels, read = [], []
            with opened(path) as warehouse:
                for view in property_plan.views:
                    push_view(view, warehouse, store, horizon=HORIZON, prefix=prefix)
                push_services(property_plan.services, store, horizon=HORIZON, prefix=prefix)
                for at in {pushed_at, *(pushed_at + randomly.randint(0, HORIZON.milliseconds) for _ in range(8))}:
                    batch = reader.read_service("property_model", users, at=at)
                    labels += [Label(user, at * 1000) for user in users]
                    read += [tuple(values.values()) for values in batch.to_dicts()]
                found = training_set(
                    warehouse,
                    property_plan,
                    table_of(labels),
                    "Asked At",
                    service=service.name,
                    keys={"user_id": "who"},
                )
                assert rows_of(warehouse, found.query, features) == read, f"seed {SEED}"
            vectors += [(label, values, pushed_at) for label, values in zip(labels, read, strict=True)]
    build(path, compiled, histories, instants[-1] + 365 * DAY)
    with opened(path) as warehouse:
        labels = [label for label, _, _ in vectors]
        found = training_set(
            warehouse, property_plan, table_of(labels), "Asked At", service="property_model", keys=KEYS
        )
        rows = rows_of(warehouse, found.query, features)
    compared = 0
    for (label, values, pushed_at), row in zip(vectors, rows, strict=True):
        if _knew_all(label, histories, arrivals, pushed_at):
            compared += 1
            assert all(map(equal, values, row)), f"seed {SEED}, {label}: {values}, {row}"
    print(f"\n{len(vectors)} vectors read online, {compared} with all that had happened, seed {SEED}")
    assert len(vectors) > compared > len(vectors) // 3


def _busy(randomly: random.Random, start: int) -> list[Event]:
    """A history of some weeks after an instant."""
    return [
        Event(number, start + randomly.randint(0, 40 * DAY), event.amount, event.channel)
        for number, event in enumerate(history(randomly))
        if event.at is not None
    ]


def _is_known(event: Event, arrivals: Mapping[int, int], at: int) -> bool:
    return arrivals[id(event)] < at


def _knew_all(label: Label, histories: Sequence[list[Event]], arrivals: Mapping[int, int], pushed_at: int) -> bool:
    """Whether a push knew every event that happened before a label."""
    if label.user is None or label.at is None or label.user >= len(histories):
        return True
    return not any(
        event.at is not None and event.at < label.at // 1000 and not _is_known(event, arrivals, pushed_at)
        for event in histories[label.user]
    )
