"""The validity table against a brute-force reference: random histories, probed on and around every boundary.

A case is one history of one entity. FSYNC_TEST_SEED repeats a run, FSYNC_TEST_CASES makes it longer.
"""

from __future__ import annotations

import math
import os
import random
import shutil
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest

from fsync.compile import compile_project, plan_project
from fsync.dbt import run_dbt
from fsync.instant import to_datetime, to_milliseconds
from fsync.plan import View
from fsync.spec.project import open_project
from fsync.sql.empty import empty_values
from tests.conftest import BARE, copy_reference
from tests.property.reference import DAY, HOUR, SECOND, WINDOWS, Event, values_as_of

HERE = Path(__file__).parent
CASES = int(os.environ.get("FSYNC_TEST_CASES", "2500"))
SEED = int(os.environ.get("FSYNC_TEST_SEED", random.SystemRandom().randrange(2**32)))
BATCH = 500

# a leap day, the end of February, both changes of daylight saving time in Europe, a second before 1970
STARTS = ("2024-02-29", "2023-02-28T23:59:59.999", "2024-03-31T01:00:00", "2024-10-27T01:00:00", "1969-12-31T23:59:59")
# sums of these make events meet the ends of other events' windows, to the millisecond and one beside it
STEPS = (0, 0, 1, -1, SECOND, SECOND - 1, HOUR, DAY, DAY - 1, DAY + 1, 30 * DAY, 30 * DAY - 1, 365 * DAY, 17 * DAY + 5)
AMOUNTS = (None, "0", "0.01", "-0.01", "5", "4.99", "-99999999.99", "99999999.99", "12.5")
CHANNELS = (None, "web", "shop", "", "ÿ")


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> tuple[View, str]:
    """The view of spec.yml and its model's SQL, as dbt renders it."""
    root = copy_reference(tmp_path_factory.mktemp("property"), BARE)
    for name, folder in (("spec.yml", "feature_specs"), ("source.yml", "models")):
        (root / folder).mkdir()
        shutil.copy(HERE / name, root / folder / name)
    project = open_project(root)
    compile_project(project)
    run_dbt(project, ["compile"])
    (view,) = plan_project(project).views
    return view, (root / "target/compiled/fsync/models/features/property_.sql").read_text()


def history(randomly: random.Random) -> list[Event]:
    """The events of one entity, in the order in which they arrive: that of time does not matter."""
    at = to_milliseconds(randomly.choice(STARTS))
    events = []
    for number in range(randomly.randint(1, 7)):
        at += randomly.choice(STEPS)
        amount = randomly.choice(AMOUNTS)
        happened = None if randomly.random() < 0.05 else at
        value = None if amount is None else Decimal(amount)
        events.append(Event(number, happened, value, randomly.choice(CHANNELS)))
    if randomly.random() < 0.3:  # the same purchase reported again
        again = randomly.choice(events)
        events.append(Event(len(events), again.at, again.amount, again.channel))
    randomly.shuffle(events)
    return events


def probes(events: list[Event], randomly: random.Random) -> list[int]:
    """Every instant at which a value can change, the milliseconds around it, and some others."""
    boundaries = [event.at + reach for event in events if event.at is not None for reach in (0, *WINDOWS)]
    if not boundaries:
        return [to_milliseconds(STARTS[0])]
    around = {boundary + step for boundary in boundaries for step in (-1, 0, 1)}
    others = [randomly.randint(min(boundaries), max(boundaries)) for _ in range(3)]
    return sorted(around | set(others))


def build(sql: str, histories: list[list[Event]]) -> dict[int, list[tuple[Any, ...]]]:
    """The model's rows, by entity, in the order of time."""
    rows: list[tuple[Any, ...]] = [
        (entity * 100 + event.order_id, entity, _when(event), event.amount, event.channel)
        for entity, events in enumerate(histories)
        for event in events
    ]
    rows.append((-1, None, datetime(2024, 1, 1), Decimal(1), "nobody"))
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as warehouse")
        connection.execute("create schema warehouse.property")
        connection.execute(
            "create table warehouse.property.events "
            "(order_id bigint, user_id bigint, happened_at timestamp, amount decimal(10,2), channel varchar)"
        )
        marks = ", ".join(["(?, ?, ?, ?, ?)"] * len(rows))
        connection.execute(f"insert into warehouse.property.events values {marks}", [v for row in rows for v in row])
        found = connection.execute(f"select * from ({sql}) order by user_id, valid_from").fetchall()
    return {entity: list(group) for entity, group in groupby(found, key=lambda row: row[0])}


def _when(event: Event) -> datetime | None:
    return None if event.at is None else to_datetime(event.at)


def test_the_table_is_the_reference_at_every_instant(compiled: tuple[View, str]) -> None:
    view, sql = compiled
    names = [planned.name for planned in view.features]
    empty = empty_values(view)
    randomly = random.Random(SEED)
    probed = 0
    for size in _batches():
        histories = [history(randomly) for _ in range(size)]
        tables = build(sql, histories)
        for entity, events in enumerate(histories):
            table = tables.get(entity, [])
            _assert_sound(table)
            for t in probes(events, randomly):
                row = next((row for row in table if row[1] < to_datetime(t) <= row[2]), None)
                got = dict(zip(names, empty if row is None else row[3:], strict=True))
                expected = values_as_of(events, t)
                assert _same(got, expected), f"seed {SEED}, as of {to_datetime(t)}, of {events}: {got} != {expected}"
                probed += 1
    print(f"\n{CASES} histories probed at {probed} instants, seed {SEED}")
    assert probed > 2 * CASES


def _batches() -> Iterator[int]:
    for start in range(0, CASES, BATCH):
        yield min(BATCH, CASES - start)


def _assert_sound(table: list[tuple[Any, ...]]) -> None:
    """Rows have a length, follow each other, and go on until the end of time."""
    for row, following in pairwise(table):
        assert row[1] < row[2] == following[1]
    assert not table or table[-1][2] == datetime(9999, 12, 31)


def _same(got: dict[str, Any], expected: dict[str, Any]) -> bool:
    return got.keys() == expected.keys() and all(_equal(got[name], expected[name]) for name in got)


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9)  # what is promised of DOUBLE
    return bool(one == other)
