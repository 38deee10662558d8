"""Validity tables against a brute-force reference: random histories, probed on and around every boundary.

A case is one history of one entity. FSYNC_TEST_SEED repeats a run, FSYNC_TEST_CASES makes it longer.
"""

from __future__ import annotations

import math
import os
import random
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby, pairwise
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from fsync.instant import END, to_datetime, to_milliseconds
from fsync.plan import View
from fsync.sql.empty import empty_values
from tests.property.reference import DAY, HOUR, SECOND, Event, daily, exactly, in_order

CASES = int(os.environ.get("FSYNC_TEST_CASES", "10000"))
SEED = int(os.environ.get("FSYNC_TEST_SEED", random.SystemRandom().randrange(2**32)))
BATCH = 2_500

# a leap day, the end of February, both changes of daylight saving time in Europe, a second before 1970
STARTS = ("2024-02-29", "2023-02-28T23:59:59.999", "2024-03-31T01:00:00", "2024-10-27T01:00:00", "1969-12-31T23:59:59")
# sums of these make events meet the ends of other events' windows, to the millisecond and one beside it
STEPS = (0, 0, 1, -1, SECOND, SECOND - 1, HOUR, DAY, DAY - 1, DAY + 1, 30 * DAY, 30 * DAY - 1, 365 * DAY, 17 * DAY + 5)
AMOUNTS = (None, "0", "0.01", "-0.01", "5", "4.99", "-99999999.99", "99999999.99", "12.5")
CHANNELS = (None, "web", "shop", "", "ÿ")
COLUMNS = {
    "order_id": pa.int64(),
    "user_id": pa.int64(),
    "happened_at": pa.timestamp("ms"),
    "amount": pa.decimal128(10, 2),
    "channel": pa.string(),
}


@dataclass(frozen=True)
class Probed:
    """A view of spec.yml: what it is by definition, and where its values can change."""

    name: str
    reference: Callable[[Sequence[Event], int], dict[str, Any]]
    windows: tuple[int, ...]
    every: int = 1


VIEWS = (
    Probed("property_", exactly, (SECOND, DAY, 30 * DAY, 365 * DAY)),
    Probed("property_daily", daily, (DAY, 2 * DAY, 30 * DAY), every=DAY),
)


def history(randomly: random.Random, starts: Sequence[str] = STARTS) -> list[Event]:
    """The events of one entity, in the order in which they arrive: that of time does not matter."""
    at = to_milliseconds(randomly.choice(starts))
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


def probes(events: list[Event], view: Probed, randomly: random.Random) -> list[int]:
    """Every instant at which a value can change, the milliseconds around it, and some others."""
    happened = {event.at for event in events if event.at is not None}
    if not happened:
        return [to_milliseconds(STARTS[0])]
    before = {at // view.every * view.every for at in happened}
    points = {*happened, *before, *(at + view.every for at in before)} if view.every > 1 else happened
    boundaries = [point + reach for point in points for reach in (0, *view.windows)]
    around = {boundary + step for boundary in boundaries for step in (-1, 0, 1)}
    others = [randomly.randint(min(boundaries), max(boundaries)) for _ in range(3)]
    return sorted(around | set(others))


def source(histories: Sequence[Sequence[Event]]) -> pa.Table:
    """What the models read: the events of every entity, numbered by its place, and one of nobody."""
    rows: list[tuple[Any, ...]] = [
        (event.order_id, entity, event.at, event.amount, event.channel)
        for entity, events in enumerate(histories)
        for event in events
    ]
    rows.append((-1, None, 0, Decimal(1), "nobody"))
    return pa.table(dict(zip(COLUMNS, zip(*rows, strict=True), strict=True)), schema=pa.schema(list(COLUMNS.items())))


def build(models: Iterable[str], histories: list[list[Event]]) -> Iterator[dict[int, list[tuple[Any, ...]]]]:
    """Of each model the rows, by entity, in the order of time; times are in milliseconds."""
    given = source(histories)
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as warehouse")
        connection.execute("create schema warehouse.property")
        connection.register("given", given)
        connection.execute("create table warehouse.property.events as from given")
        for sql in models:
            found = connection.execute(
                "select user_id, epoch_ms(valid_from), epoch_ms(valid_to), columns(* exclude (user_id, valid_from, "
                f"valid_to)) from ({sql}) order by user_id, valid_from"
            ).fetchall()
            yield {entity: list(group) for entity, group in groupby(found, key=lambda row: row[0])}


def test_the_tables_are_the_reference_at_every_instant(compiled: dict[str, tuple[View, str]]) -> None:
    assert {view.name for view in VIEWS} == compiled.keys()
    randomly = random.Random(SEED)
    probed = 0
    for size in _batches():
        histories = [history(randomly) for _ in range(size)]
        tables = build([compiled[view.name][1] for view in VIEWS], histories)
        for view, table in zip(VIEWS, tables, strict=True):
            planned = compiled[view.name][0]
            names, empty = [feature.name for feature in planned.features], empty_values(planned)
            for entity, events in enumerate(histories):
                rows, instants = table.get(entity, []), probes(events, view, randomly)
                _assert_sound(rows, view.every)
                _assert_same(view, events, rows, instants, names, empty)
                probed += len(instants)
    print(f"\n{CASES} histories probed at {probed} instants, seed {SEED}")
    assert probed >= CASES * len(VIEWS)


def _assert_same(
    view: Probed,
    events: list[Event],
    rows: list[tuple[Any, ...]],
    instants: list[int],
    names: list[str],
    empty: tuple[Any, ...],
) -> None:
    """Holds the rows of one entity against the reference."""
    starts = [row[1] for row in rows]
    ordered = in_order(events)
    for t in instants:
        held = bisect_left(starts, t) - 1  # the last row that starts before t
        got = rows[held][3:] if held >= 0 else empty
        reference = view.reference(ordered, t)
        expected = tuple(reference[name] for name in names)
        if got != expected and not all(map(equal, got, expected)):
            differ = {n: (g, e) for n, g, e in zip(names, got, expected, strict=True) if not equal(g, e)}
            pytest.fail(f"seed {SEED}, as of {to_datetime(t)}, of {events}: got, expected: {differ}")
    assert reference.keys() == set(names)


def _batches() -> Iterator[int]:
    for start in range(0, CASES, BATCH):
        yield min(BATCH, CASES - start)


def _assert_sound(table: list[tuple[Any, ...]], every: int) -> None:
    """Rows have a length, follow each other, start on the grid, and go on until the end of time."""
    for row, following in pairwise(table):
        assert row[1] < row[2] == following[1]
    assert not table or table[-1][2] == END
    assert all(row[1] % every == 0 for row in table)


def equal(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9)  # what is promised of DOUBLE
    return bool(one == other)
