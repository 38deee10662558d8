"""Every check that was made, in the table `fsync_watch` of the warehouse; and what followed from them over time.

The table is written in a moment, by a connection of its own: a build that holds the warehouse is waited for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import duckdb
import pyarrow as pa
from sqlglot import exp

from fsync.deployed import CHECKS
from fsync.errors import WarehouseOutOfReach, one_line
from fsync.instant import FIRST, to_datetime
from fsync.warehouse.duckdb import Warehouse
from fsync.warehouse.profile import Profile
from fsync.watch.check import Check, Round, Side, Signal

_Opened = TypeVar("_Opened")

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
    # the store that was watched, of checks online (`WatchedStore.name`); and the chat that knows of it (`Webhook.id`)
    ("store", "varchar", pa.string()),
    ("chat", "varchar", pa.string()),
)

#: a check among others: its feature, signal and side
Line = tuple[str, Signal, Side]
#: the last verdict of each, after the instant that it is of, in epoch milliseconds
Verdicts = Mapping[Line, tuple[int, str]]


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


@dataclass(frozen=True)
class Past:
    """What the history says of a period: how promises were kept, and the checks that were made, the oldest first.

    `verdicts` are the last ones before the round that is kept.
    """

    kept: tuple[Kept, ...] = ()
    points: tuple[Point, ...] = ()
    verdicts: Verdicts = field(default_factory=dict)


def last_verdicts(warehouse: Warehouse, at: int, chat: str | None, store: str | None) -> Verdicts:
    """The last verdict of every check that was not unknown, until an instant.

    Args:
        chat: of which those are asked for that it knows of; None for all.
        store: of which those are asked for beside those of tables.
    """
    if not warehouse.rows(_is_there(warehouse.schema)):
        return {}
    return _verdicts(warehouse.rows(_last_verdicts(warehouse.schema, at, chat, store)))


def line_of(check: Check) -> Line:
    """What a check is of."""
    return check.feature, check.signal, check.side


def newest(*known: Verdicts) -> Verdicts:
    """The newest of verdicts that are known from several places."""
    found: dict[Line, tuple[int, str]] = {}
    for verdicts in known:
        found |= {line: one for line, one in verdicts.items() if line not in found or found[line][0] <= one[0]}
    return found


def keep(profile: Profile, watched: Round, since: int, *, with_points: bool = False, chat: str | None = None) -> Past:
    """Put the checks of a round into the table, and look back from there.

    The checks take the place of those of the same views and the same instant. The verdicts before them are read in
    the same transaction, so that of two watches at once only one finds that something has begun.

    Args:
        since: when the period begins, in epoch milliseconds; it ends with the round.
        chat: who is going to be told, and then knows of the checks; the verdicts before are those that it knows of.
        with_points: whether to look at every check of it.

    Raises:
        WarehouseOutOfReach: when another process holds the warehouse for longer than half a minute.
    """
    try:
        with _writable(profile) as connection:
            connection.execute("set enable_progress_bar = false; set timezone = 'UTC'")
            verdicts = _write(connection, profile.schema, watched, chat)
            table, within = _table(profile.schema), _within(since, watched.at, watched.store)
            return Past(
                _kept(connection, table, within, watched.at),
                _points(connection, table, within, since, watched.at) if with_points else (),
                verdicts,
            )
    except duckdb.Error as error:
        raise WarehouseOutOfReach(f"the history cannot be kept in {profile.path}: {one_line(error)}") from error


def forget(profile: Profile, chat: str, since: int, lines: Collection[Line], store: str | None) -> None:
    """Take back that a chat knows of checks since an instant: it could not be told, and is told again.

    Args:
        store: that was watched.

    Raises:
        WarehouseOutOfReach: as `keep` does.
    """
    if not lines:
        return
    untold = pa.table([list(part) for part in zip(*lines, strict=True)], names=["feature", "signal", "side"])
    try:
        with _writable(profile) as connection:
            if not connection.execute(_is_there(profile.schema)).fetchall():
                return
            connection.register("fsync_untold", untold)
            connection.execute(
                f"""
                update {_table(profile.schema)} set chat = null
                where chat = $1 and watched_at >= {_instant(since)} and {_seen_with(store)}
                    and (feature, signal, side) in (select (feature, signal, side) from fsync_untold)
                """,
                [chat],
            )
    except duckdb.Error as error:
        raise WarehouseOutOfReach(f"the history cannot be kept in {profile.path}: {one_line(error)}") from error


def _write(connection: duckdb.DuckDBPyConnection, schema: str, watched: Round, chat: str | None) -> Verdicts:
    rows = pa.table(
        [pa.array([_cell(watched, check, name) for check in watched.checks], kind) for name, _, kind in _COLUMNS],
        names=[name for name, *_ in _COLUMNS],
    )
    table, columns = _table(schema), ", ".join(f"{name} {kind}" for name, kind, _ in _COLUMNS)
    connection.register("fsync_seen", rows)
    connection.execute("begin")
    connection.execute(f"create schema if not exists {exp.to_identifier(schema, quoted=True).sql(dialect='duckdb')}")
    connection.execute(f"create table if not exists {table} ({columns})")
    for name in ("store", "chat"):  # those that a table of an earlier fsync has not
        connection.execute(f"alter table {table} add column if not exists {name} varchar")
    verdicts = _verdicts(connection.execute(_last_verdicts(schema, watched.at, chat, watched.store)).fetchall())
    # what a chat knows of the same instant it still knows, where it is the same
    connection.execute(
        f"""
        create or replace temp table fsync_checks as
        select seen.* replace (coalesce($1, known.chat) as chat)
        from fsync_seen as seen
        left join {table} as known
            on known.store is not distinct from seen.store
            and (known.watched_at, known.feature, known.signal, known.side, known.verdict)
                = (seen.watched_at, seen.feature, seen.signal, seen.side, seen.verdict)
        """,
        [chat],
    )
    connection.execute(
        f"delete from {table} where watched_at = {_instant(watched.at)} and {_seen_with(watched.store)} "
        "and view_name in (select view_name from fsync_checks)"
    )
    too_old = to_datetime(watched.checked_at - KEEP_MS)
    connection.execute(f"delete from {table} where checked_at < $1", [too_old])
    connection.execute(f"insert into {table} by name from fsync_checks")
    connection.execute("commit")
    return verdicts


def _cell(watched: Round, check: Check, name: str) -> Any:
    instants = {"watched_at": watched.at, "checked_at": watched.checked_at}
    if name in instants:
        return to_datetime(instants[name])
    if name == "chat":
        return None
    if name == "store":
        return watched.store if check.side == "online" else None
    return getattr(check, "view" if name == "view_name" else name)


def _writable(profile: Profile) -> duckdb.DuckDBPyConnection:
    return patiently(lambda: duckdb.connect(str(profile.path)), duckdb.IOException)


def patiently(open_: Callable[[], _Opened], error: type[Exception]) -> _Opened:
    """What another process may have locked, opened when it lets go; raises the error after half a minute."""
    ends = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return open_()
        except error as failed:
            if "Could not set lock" not in str(failed) or time.monotonic() > ends:
                raise
            time.sleep(_PAUSE_SECONDS)


# ---------------------------------------------------------------- looking back


def _points(
    connection: duckdb.DuckDBPyConnection, table: str, within: str, since: int, until: int, most: int = 500
) -> tuple[Point, ...]:
    """The checks of a period, the oldest first; of each line about so many, evenly from all of it, and alerts."""
    step = max(1, (until - since) // most)
    rows = connection.execute(
        f"""
        select
            epoch_ms(max(watched_at)), feature, signal, side,
            verdict = 'alert' as is_alert,
            arg_max(verdict, watched_at), arg_max_null(value, watched_at)
        from {table}
        where {within}
        group by feature, signal, side, is_alert, (epoch_ms(watched_at) - {since}) // {step}
        order by 1, 2, 3, 4
        """
    ).fetchall()
    return tuple(
        Point(at, feature, signal, side, verdict, value) for at, feature, signal, side, _, verdict, value in rows
    )


def _kept(connection: duckdb.DuckDBPyConnection, table: str, within: str, until: int) -> tuple[Kept, ...]:
    """How promises were kept over a period, by feature and promise.

    What was seen holds until the next look, but at most three times as long as looks are usually apart: while nobody
    looked, nothing is known.
    """
    fresh = f"""
        with rounds as (
            select feature, view_name, owner, watched_at, bool_and(verdict <> 'alert') as is_fresh
            from {table}
            where signal = 'freshness' and {within}
            group by all
        ),
        gaps as (
            select *, epoch_ms(coalesce(lead(watched_at) over following, {_instant(until)}) - watched_at) as gap
            from rounds
            window following as (partition by feature order by watched_at)
        ),
        spans as (
            select *, least(gap, 3 * median(gap) filter (where gap > 0) over (partition by feature)) as span
            from gaps
        )
        select
            feature, arg_max(view_name, watched_at), arg_max(owner, watched_at), 'freshness',
            case
                when sum(span) > 0 then coalesce(sum(span) filter (where is_fresh), 0) / sum(span)
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
        from {table}
        where signal = 'availability' and value is not null and counted > 0 and {within}
        group by feature
    """
    rows = [*connection.execute(fresh).fetchall(), *connection.execute(answered).fetchall()]
    found = [Kept(row[0], row[1], row[2], row[3], kept=row[4], checks=row[5]) for row in rows]
    return tuple(sorted(found, key=lambda one: (one.feature, one.promise)))


def _last_verdicts(schema: str, at: int, chat: str | None, store: str | None) -> str:
    """A query of the last verdicts of tables and of a store that somebody knows of: a chat; None for who knows all."""
    of_chat = "" if chat is None else f"and chat = {exp.Literal.string(chat).sql(dialect='duckdb')}"
    return f"""
        select feature, signal, side, epoch_ms(max(watched_at)), arg_max(verdict, watched_at)
        from {_table(schema)}
        where verdict <> 'unknown' and watched_at <= {_instant(at)} {of_chat} and {_seen_with(store)}
        group by all
    """


def _verdicts(rows: Iterable[tuple[Any, ...]]) -> Verdicts:
    return {(feature, signal, side): (at, verdict) for feature, signal, side, at, verdict in rows}


def _is_there(schema: str) -> str:
    """A query of a row where there is the table, with the columns that it has since it knows of chats."""
    name = exp.Literal.string(schema).sql(dialect="duckdb")
    of_table = f"schema_name = {name} and table_name = '{CHECKS}'"
    return f"select 1 from duckdb_columns() where {of_table} and column_name = 'chat'"


def _table(schema: str) -> str:
    return exp.table_(CHECKS, db=schema, quoted=True).sql(dialect="duckdb")


def _within(since: int, until: int, store: str | None) -> str:
    return f"watched_at between {_instant(since)} and {_instant(until)} and {_seen_with(store)}"


def _seen_with(store: str | None) -> str:
    """Which checks a watch of a store goes by: those of tables, and its own; one without a store, of tables alone."""
    own = "false" if store is None else f"store = {exp.Literal.string(store).sql(dialect='duckdb')}"
    return f"(side = 'offline' or {own})"


def _instant(milliseconds: int) -> str:
    return f"timestamp '{to_datetime(max(milliseconds, FIRST)).isoformat(sep=' ')}'"
