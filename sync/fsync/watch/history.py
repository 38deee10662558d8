"""Every check that was made, in the table `fsync_watch` of the warehouse; and what followed from them over time.

The table is written in a moment, by a connection of its own: a build that holds the warehouse is waited for.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import duckdb
import pyarrow as pa
from sqlglot import exp

from fsync.errors import InputError, NotBuilt, WarehouseOutOfReach, one_line
from fsync.instant import to_datetime
from fsync.warehouse.duckdb import Warehouse
from fsync.warehouse.profile import Profile
from fsync.watch.check import Check, Round, Side, Signal

TABLE: Final = "fsync_watch"
#: how long checks are kept, by the wall clock, in milliseconds
KEEP_MS: Final = 90 * 86_400_000
#: how long a build is waited for
_PATIENCE_SECONDS: Final = 30.0
_PAUSE_SECONDS: Final = 0.25

#: the columns: name, DuckDB's type, of Arrow
_COLUMNS: Final = (
    ("watched_at", "timestamp", pa.timestamp("ms")),
    ("checked_at", "timestamp", pa.timestamp("ms")),
    ("feature", "varchar", pa.string()),
    ("view_name", "varchar", pa.string()),
    ("owner", "varchar", pa.string()),
    ("signal", "varchar", pa.string()),
    ("side", "varchar", pa.string()),
    ("verdict", "varchar", pa.string()),
    ("value", "double", pa.float64()),
    ("threshold", "double", pa.float64()),
    ("counted", "bigint", pa.int64()),
    ("p", "double", pa.float64()),
    ("q", "double", pa.float64()),
    ("baseline", "varchar", pa.string()),
    ("sentence", "varchar", pa.string()),
)

_SAME: Final = " and ".join(f"old.{name} = new.{name}" for name in ("watched_at", "feature", "signal", "side"))


@dataclass(frozen=True)
class Point:
    """A check of the past, as far as a line in a picture needs it. `at` is epoch milliseconds."""

    at: int
    feature: str
    signal: Signal
    side: Side
    verdict: str
    value: float | None


@dataclass(frozen=True)
class Kept:
    """How one promise of a feature was kept over a period: of its freshness, or its availability.

    `kept` is a share from 0 to 1: of the time between checks that values were fresh (on both sides, where a store is
    watched), or of all probes that got one. `checks` is how many rounds it goes by.
    """

    feature: str
    view: str
    owner: str
    promise: Signal
    kept: float
    checks: int


def write(profile: Profile, watched: Round) -> None:
    """Put the checks of a round into the table, in the place of those of the same instant.

    Raises:
        WarehouseOutOfReach: when another process holds the warehouse for longer than half a minute.
    """
    rows = pa.table(
        [pa.array([_cell(watched, check, name) for check in watched.checks], kind) for name, _, kind in _COLUMNS],
        names=[name for name, *_ in _COLUMNS],
    )
    table = exp.table_(TABLE, db=profile.schema, quoted=True).sql(dialect="duckdb")
    columns = ", ".join(f"{name} {kind}" for name, kind, _ in _COLUMNS)
    try:
        with _writable(profile) as connection:
            connection.execute("set enable_progress_bar = false; set timezone = 'UTC'; begin")
            connection.execute(
                f"create schema if not exists {exp.to_identifier(profile.schema, quoted=True).sql('duckdb')}"
            )
            connection.execute(f"create table if not exists {table} ({columns})")
            connection.register("fsync_checks", rows)
            # a look at the same instant again replaces what was seen of it
            connection.execute(f"delete from {table} as old using fsync_checks as new where {_SAME}")
            too_old = to_datetime(watched.checked_at - KEEP_MS)
            connection.execute(f"delete from {table} where checked_at < $1", [too_old])
            connection.execute(f"insert into {table} by name from fsync_checks")
            connection.execute("commit")
    except duckdb.Error as error:
        raise WarehouseOutOfReach(f"the history cannot be written to {profile.path}: {one_line(error)}") from error


def _cell(watched: Round, check: Check, name: str) -> Any:
    instants = {"watched_at": watched.at, "checked_at": watched.checked_at}
    if name in instants:
        return to_datetime(instants[name])
    value = getattr(check, "view" if name == "view_name" else name)
    return None if value is None else value


def _writable(profile: Profile) -> duckdb.DuckDBPyConnection:
    ends = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return duckdb.connect(str(profile.path))
        except duckdb.IOException:
            if time.monotonic() > ends:
                raise
            time.sleep(_PAUSE_SECONDS)


# ---------------------------------------------------------------- looking back


def points(warehouse: Warehouse, since: int, until: int, most: int = 500) -> tuple[Point, ...]:
    """The checks of a period, the oldest first; of each line about so many, evenly from all of it, and all alerts.

    Args:
        since, until: instants that were looked at, in epoch milliseconds, both included.
    """
    rows = _rows(
        warehouse,
        f"""
        select epoch_ms(watched_at), feature, signal, side, verdict, value
        from (
            select *, row_number() over line as number, count(*) over (partition by feature, signal, side) as numbers
            from {TABLE}
            where {_within(since, until)}
            window line as (partition by feature, signal, side order by watched_at desc)
        )
        -- the newest one, every so many before it, and what alerted in between
        where (number - 1) % ceil(numbers / {most}) = 0 or verdict = 'alert'
        order by watched_at, feature, signal, side
        """,
    )
    return tuple(Point(*row) for row in rows)


def kept(warehouse: Warehouse, since: int, until: int) -> tuple[Kept, ...]:
    """How promises were kept over a period, by feature and promise. What was looked at last holds until the end."""
    fresh = f"""
        with rounds as (
            select feature, view_name, owner, watched_at, bool_and(verdict <> 'alert') as is_fresh
            from {TABLE}
            where signal = 'freshness' and {_within(since, until)}
            group by all
        ),
        spans as (
            select *, coalesce(lead(watched_at) over following, {_instant(until)}) - watched_at as span
            from rounds
            window following as (partition by feature order by watched_at)
        )
        select
            feature, arg_max(view_name, watched_at), arg_max(owner, watched_at), 'freshness',
            case
                when sum(epoch_ms(span)) > 0 then sum(epoch_ms(span)) filter (where is_fresh) / sum(epoch_ms(span))
                else avg(is_fresh::integer)
            end,
            count(*)
        from spans
        group by feature
    """
    answered = f"""
        select
            feature, arg_max(view_name, watched_at), arg_max(owner, watched_at), 'availability',
            sum(value * counted) / sum(counted), count(distinct watched_at)
        from {TABLE}
        where signal = 'availability' and value is not null and counted > 0 and {_within(since, until)}
        group by feature
    """
    rows = [*_rows(warehouse, fresh), *_rows(warehouse, answered)]
    found = [Kept(row[0], row[1], row[2], row[3], kept=row[4] or 0.0, checks=row[5]) for row in rows]
    return tuple(sorted(found, key=lambda one: (one.feature, one.promise)))


def alerting(warehouse: Warehouse, before: int) -> frozenset[tuple[str, Signal, Side]] | None:
    """What alerted in the last round before an instant; None where there was none."""
    rows = _rows(
        warehouse,
        f"select feature, signal, side, verdict from {TABLE} "
        f"where watched_at = (select max(watched_at) from {TABLE} where watched_at < {_instant(before)})",
    )
    if not rows:
        return None
    return frozenset((feature, signal, side) for feature, signal, side, verdict in rows if verdict == "alert")


def _rows(warehouse: Warehouse, query: str) -> Sequence[tuple[Any, ...]]:
    try:
        return warehouse.rows(query)
    except (InputError, NotBuilt) as error:
        if TABLE in str(error):  # nothing was watched yet
            return ()
        raise


def _within(since: int, until: int) -> str:
    return f"watched_at between {_instant(since)} and {_instant(until)}"


def _instant(milliseconds: int) -> str:
    return f"timestamp '{to_datetime(milliseconds).isoformat(sep=' ')}'"
