"""Parity: entities looked up on both sides at one instant, and every difference with its reason."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import pyarrow as pa

from fsync import wire
from fsync.errors import InputError, NotBuilt, StoreOutOfReach
from fsync.explain import MEND, UNEXPLAINED, TableValue, compare, online_of
from fsync.plan import View
from fsync.read import Reader, Reading, Status
from fsync.sql.empty import empty_values
from fsync.sql.looks import rows_of_entities, some_entities
from fsync.store import Store
from fsync.warehouse.duckdb import Table, Warehouse
from fsync.watch.check import Check, Verdict
from fsync.watch.offline import PROBES
from fsync.wire import Value

#: what stands in the place of what is of a class
HIDDEN: Final = "(hidden)"
_ENTITIES_TABLE: Final = "fsync_parity"

#: an entity by the texts of its columns
Entity = tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """A value that is not the same on both sides. `key` is written as in keys of the store.

    Of a feature that is of a class, neither value is told, and of a view whose entity is, no key: both are `HIDDEN`.

    `is_explained` says whether what is known of the push explains it: it is behind the table, or of another version.
    """

    feature: str
    view: str
    key: str
    offline: Value
    online: Value
    status: Status
    reason: str
    is_explained: bool


@dataclass(frozen=True)
class LookedUp:
    """What a store said of entities of a view. `problem` says why it said nothing, and `meta` is None then."""

    view: View
    meta: wire.Meta | None = None
    entities: tuple[Entity, ...] = ()
    readings: tuple[Reading, ...] = ()
    problem: str | None = None


@dataclass(frozen=True)
class Parity:
    """What came of comparing a view: `entities` were looked up on both sides. `problem` says why none were."""

    view: View
    entities: int
    differences: tuple[Difference, ...] = ()
    problem: str | None = None


def entities_of(views: Sequence[View], warehouse: Warehouse, entities: int = PROBES) -> Mapping[str, list[Entity]]:
    """Some entities of each view's table, others each time; none of a view that is not built."""
    found: dict[str, list[Entity]] = {}
    for view in views:
        with suppress(NotBuilt):
            rows = warehouse.rows(some_entities(view, warehouse.table(view).sql, entities))
            found[view.name] = [tuple(row) for row in rows]
    return found


def look_up(
    view: View, of_table: Sequence[Entity], store: Store, prefix: str, at: int, entities: int = PROBES
) -> LookedUp:
    """Look entities of a view up in a store, as of an instant, in epoch milliseconds.

    Half of them are what the store holds, so that what should be gone is found; the others are of the table, so that
    what never came is.
    """
    try:
        reader = Reader(store, prefix=prefix)  # not closed: the store is not ours
        meta = reader.meta(view.name)
        if meta is None:
            return LookedUp(view, problem="it was not pushed to this store, or has expired")
        if meta.entity != view.entity_types:
            return LookedUp(view, problem=f"version {meta.hash} is served, which has another entity")
        held = dict.fromkeys(_held(view, meta, store, prefix, entities // 2))
        found = list(held | dict.fromkeys(of_table[: entities - len(held)]))
        readings = reader.read_many(view.name, [_key(parts) for parts in found], at=at)
    except StoreOutOfReach as error:
        return LookedUp(view, problem=f"the store does not answer: {error}")
    except InputError:  # its text may have an entity in it, and sentences go to a chat
        return LookedUp(view, problem="what is served cannot be read")
    return LookedUp(view, meta, tuple(found), tuple(readings))


def compare_view(looked_up: LookedUp, warehouse: Warehouse, at: int) -> Parity:
    """Hold what a store said against the table of the view, as of the same instant."""
    view, meta = looked_up.view, looked_up.meta
    if meta is None:
        return Parity(view, 0, problem=looked_up.problem)
    try:
        table = warehouse.table(view)
    except NotBuilt as error:
        return Parity(view, 0, problem=str(error))
    values = _offline(view, table, warehouse, looked_up.entities, at)
    differences = [
        difference
        for parts, reading, row in zip(looked_up.entities, looked_up.readings, values, strict=True)
        for difference in _differences(view, table, meta, parts, reading, row, at)
    ]
    in_order = sorted(differences, key=lambda one: (one.key, one.feature))
    return Parity(view, len(looked_up.entities), tuple(in_order))


def checks_of(parity: Parity) -> Iterator[Check]:
    """A check a feature: it alerts where a difference has no explanation."""
    for planned in parity.view.features:
        differ = [one for one in parity.differences if one.feature == planned.name]
        unexplained = sum(not one.is_explained for one in differ)
        verdict = Verdict.ALERT if unexplained else Verdict.UNKNOWN if parity.problem else Verdict.OK
        share = unexplained / parity.entities if parity.entities else None
        told = parity.problem or _sentence(parity, differ, unexplained)
        yield Check.of(
            parity.view, planned, "parity", "online", verdict, told, value=share, threshold=0.0, counted=parity.entities
        )


def _sentence(parity: Parity, differ: Sequence[Difference], unexplained: int) -> str:
    if not differ:
        return f"{parity.entities:,} entities have the same value online and offline"
    explained = len(differ) - unexplained
    told = [f"{unexplained:,} that nothing explains"] if unexplained else []
    told += [f"{explained:,} that the state of the push explains"] if explained else []
    worst = next((one for one in differ if not one.is_explained), differ[0])
    # neither whose value nor which: sentences go to the history and to a chat
    differing = f"{len(differ):,} of {parity.entities:,} entities have another value online"
    return f"{differing}, {' and '.join(told)}: {worst.reason if worst.is_explained else MEND}"


# ---------------------------------------------------------------- the two sides


def _held(view: View, meta: wire.Meta, store: Store, prefix: str, most: int) -> Iterator[Entity]:
    """Entities that a store has keys of, from some place on."""
    before, after = wire.around_entity(prefix, view.name, meta.hash)
    keys = (key for batch in store.scan(before, after) for key in batch.column(0).to_pylist())
    start = random.randrange(max(1, meta.rows - most))
    return (wire.stored_parts(key[len(before) : -len(after)]) for key in islice(keys, start, start + most))


def _key(parts: tuple[str, ...]) -> Any:
    return parts[0] if len(parts) == 1 else parts


def _offline(
    view: View, table: Table, warehouse: Warehouse, entities: Sequence[tuple[str, ...]], at: int
) -> Iterable[Mapping[str, Value]]:
    """The values of entities, in their order: the empty ones of those that have no row."""
    columns = [pa.array([parts[number] for parts in entities], pa.string()) for number in range(len(view.entity))]
    names = [f"part_{number}" for number in range(len(view.entity))]
    warehouse.give(_ENTITIES_TABLE, pa.table([pa.array(range(len(entities))), *columns], names=["number", *names]))
    features = [planned.name for planned in view.features]
    rows = {row[0]: row[1:] for row in warehouse.rows(rows_of_entities(view, table.sql, _ENTITIES_TABLE, at))}
    empty = empty_values(view)
    return [dict(zip(features, rows.get(number, empty), strict=True)) for number in range(len(entities))]


def _differences(
    view: View,
    table: Table,
    meta: wire.Meta,
    parts: tuple[str, ...],
    reading: Reading,
    values: Mapping[str, Value],
    at: int,
) -> Iterator[Difference]:
    for planned in view.features:
        online = online_of(planned, meta, reading)
        offline = TableValue(values[planned.name], hash=table.hash, built_at=table.built_at)
        agrees, reason = compare(offline, online, at)
        if not agrees:
            why = online.problem or reason
            yield Difference(
                feature=planned.name,
                view=view.name,
                key=wire.entity_text(_key(parts), view.entity_types) if not view.entity_classes else HIDDEN,
                offline=HIDDEN if planned.feature.classification else offline.value,
                online=HIDDEN if planned.feature.classification else online.value,
                status=online.status,
                reason=why,
                is_explained=why != UNEXPLAINED,
            )
