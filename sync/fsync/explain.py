"""Why a feature has the value that it has: online and offline at one instant, and the events behind it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fsync import wire
from fsync.dbt import relation_of
from fsync.errors import InputError, NotBuilt, StoreOutOfReach
from fsync.instant import FIRST, to_text
from fsync.plan import Member, Planned, View
from fsync.read import Reader, Reading, Status
from fsync.spec.project import Project
from fsync.sql.empty import empty_values
from fsync.sql.lookback import how_many, newest, row_holding, source_rows
from fsync.warehouse.duckdb import Warehouse
from fsync.wire import Key, Value

SAMPLE: Final = 10


@dataclass(frozen=True)
class TableValue:
    """A feature in its table. Instants are epoch milliseconds; `problem` says why there is none, and all else is None.

    The row holds for valid_from < t <= valid_to; of an entity without a row both are None, and the value is the empty
    one.
    """

    value: Value = None
    valid_from: int | None = None
    valid_to: int | None = None
    hash: str | None = None
    built_at: int | None = None
    problem: str | None = None


@dataclass(frozen=True)
class StoreValue:
    """A feature in the online store; see `TableValue`."""

    value: Value = None
    status: Status = Status.MISSING
    hash: str | None = None
    as_of: int | None = None
    horizon: int | None = None
    #: when the build began that it was pushed from; None where the store does not say
    built_at: int | None = None
    problem: str | None = None


@dataclass(frozen=True)
class Behind:
    """The events that a value is made of: of times in [since, until), `since` None for any age.

    `rows` are the newest of them, whole, `count` is how many there are.
    """

    since: int | None
    until: int
    count: int
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    problem: str | None = None


@dataclass(frozen=True)
class Explanation:
    """A feature of one entity at one instant. `made_of` names the features that a derived one is computed from."""

    feature: str
    view: str
    #: the version that the specs describe now
    hash: str
    definition: str
    #: what else decides the value: where, ttl, every, scale and default, as the spec says them
    conditions: tuple[str, ...]
    made_of: tuple[str, ...]
    key: str
    at: int
    offline: TableValue
    online: StoreValue
    behind: Behind
    #: whether the two values are known to be the same, and why they are not
    agrees: bool
    verdict: str


def explain(
    member: Member,
    key: Key,
    at: int,
    *,
    project: Project,
    warehouse: Warehouse | None,
    reader: Reader,
    sample: int = SAMPLE,
) -> Explanation:
    """Look a feature up on both sides, and at what it is made of.

    Args:
        member: the feature and its view.
        key: the entity.
        at: the instant, in epoch milliseconds.
        warehouse: where the tables are; None where there is none.
        sample: how many events are shown.

    Raises:
        InputError: when the key is not one of the view's entity.
    """
    view, planned = member.view, member.planned
    entity = wire.entity_parts(key, view.entity_types)
    offline = _offline(view, planned, entity, at, warehouse)
    online = _online(view, planned, key, at, reader)
    agrees, verdict = compare(offline, online, at)
    made_of = view.made_of(planned)
    return Explanation(
        feature=planned.name,
        view=view.name,
        hash=view.hash,
        definition=planned.feature.definition,
        conditions=tuple(_conditions(planned)),
        made_of=() if made_of == (planned,) else tuple(one.name for one in made_of),
        key=wire.entity_text(key, view.entity_types),
        at=at,
        offline=offline,
        online=online,
        behind=_behind(view, made_of, entity, at, project, warehouse, sample),
        agrees=agrees,
        verdict=verdict,
    )


def _conditions(planned: Planned) -> Iterator[str]:
    feature = planned.feature
    if feature.condition is not None:
        yield f"where {feature.condition}"
    for name in ("ttl", "every", "scale", "default"):
        if (value := getattr(feature, name)) is not None:
            yield f"{name} {value}"


def _offline(view: View, planned: Planned, entity: Sequence[str], at: int, warehouse: Warehouse | None) -> TableValue:
    if warehouse is None:
        return TableValue(problem="there is no warehouse yet: run `fsync build`")
    try:
        table = warehouse.table(view)
    except NotBuilt as error:
        return TableValue(problem=str(error))
    rows = warehouse.rows(row_holding(view, table.sql, planned.name, entity, at))
    if rows:
        ((value, valid_from, valid_to),) = rows
        return TableValue(value, valid_from, valid_to, table.hash, table.built_at)
    empties = dict(zip((one.name for one in view.features), empty_values(view), strict=True))
    return TableValue(empties[planned.name], None, None, table.hash, table.built_at)


def _online(view: View, planned: Planned, key: Key, at: int, reader: Reader) -> StoreValue:
    try:
        batch = reader.read_batch([view.name], [key], at=at)
    except StoreOutOfReach as error:
        return StoreValue(problem=str(error))
    meta, (reading,) = batch.metas[view.name], batch.readings[view.name]
    if meta is None:
        return StoreValue(problem="the view was not pushed to this store, or has expired")
    return online_of(planned, meta, reading)


def online_of(planned: Planned, meta: wire.Meta, reading: Reading) -> StoreValue:
    """A feature of a reading, and what the meta that it was read by says of it."""
    value, status = reading.values.get(planned.name), reading.status.get(planned.name, Status.MISSING)
    problem = None
    if planned.name not in reading.values:
        problem = f"the version that is served, {meta.hash}, does not have it"
    elif status is Status.MISSING:
        problem = f"the store answers for the time from {to_text(meta.since)} on"
    return StoreValue(value, status, meta.hash, meta.as_of, meta.horizon, meta.built_at, problem)


#: what brings both sides together whatever has happened
MEND: Final = "`fsync push --full` writes every value anew"
#: said of two values that differ while all that is known says that they should not
UNEXPLAINED: Final = f"nothing that is known explains it: {MEND}"


def compare(offline: TableValue, online: StoreValue, at: int) -> tuple[bool, str]:
    """Whether a value is known to be the same on both sides at an instant, and if not, why."""
    if offline.problem is not None or online.problem is not None:
        return False, "there is nothing to compare"
    assert offline.built_at is not None
    assert online.as_of is not None
    assert online.horizon is not None
    if offline.hash != online.hash:
        return False, f"online is version {online.hash}, the table is {offline.hash}: `fsync push` brings it"
    if _same(offline.value, online.value):
        return True, "online is offline"
    if at > online.horizon:
        return False, f"the last push knows the changes until {to_text(online.horizon)}: push again"
    if offline.built_at == online.built_at:
        return False, UNEXPLAINED
    if online.built_at is not None:
        return False, (
            f"the push was of the build of {to_text(online.built_at)}, and the table was built at "
            f"{to_text(offline.built_at)}: what has changed in between is not online before the next `fsync push`"
        )
    if offline.built_at > online.as_of:
        return False, (
            f"the push was as of {to_text(online.as_of)}, and the table was built at {to_text(offline.built_at)}: "
            "events that came in between are not online before the next `fsync push`"
        )
    return False, UNEXPLAINED


def _same(one: Value, other: Value) -> bool:
    is_nan = one != one and other != other  # how NaN is told
    return is_nan or bool(one == other)


def _behind(
    view: View,
    made_of: Sequence[Planned],
    entity: Sequence[str],
    at: int,
    project: Project,
    warehouse: Warehouse | None,
    sample: int,
) -> Behind:
    """The events of the widest window among the features, those that their conditions are true of."""
    # a granularity holds values back until the last multiple of it
    until = at if view.every is None else (at - 1) // view.every.milliseconds * view.every.milliseconds
    windows = [one.call.window for one in made_of if one.call is not None]
    longest = max((window.milliseconds for window in windows if window is not None), default=0)
    since = None if None in windows else max(until - longest, FIRST)
    nothing = Behind(since, until, 0, (), ())
    if warehouse is None:
        return nothing
    try:
        relation = relation_of(project, view.source.jinja)
    except NotBuilt as error:
        return Behind(since, until, 0, (), (), str(error))
    rows = source_rows(view, made_of, relation, entity, since, until)
    shown = newest(rows, view, sample)
    try:
        (count,) = warehouse.row(how_many(rows))
        columns = tuple(name for name, _ in warehouse.columns(shown))
        return Behind(since, until, count, columns, tuple(warehouse.rows(shown)))
    except InputError as error:  # the source is elsewhere, or is gone
        return Behind(since, until, 0, (), (), f"{relation} cannot be read: {error}")
