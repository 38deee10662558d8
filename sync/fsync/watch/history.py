"""Every check that was made, in the table `fsync_watch` of the warehouse: what followed from them is told by `past.py`.

The table is written in a moment, by a connection of its own: a build that holds the warehouse is waited for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import duckdb
import pyarrow as pa
from sqlglot import exp

from fsync.deployed import CHECKS
from fsync.errors import WarehouseOutOfReach, one_line
from fsync.instant import to_datetime
from fsync.warehouse.duckdb import Warehouse
from fsync.warehouse.profile import Profile
from fsync.watch import told
from fsync.watch.check import Check, Round, Verdicts
from fsync.watch.past import Kept, Point, instant_sql, kept_of, points_of
from fsync.watch.told import Chat

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
    # that was watched, of checks online
    ("store", "varchar", pa.string()),
)


@dataclass(frozen=True)
class Past:
    """What the history says of a period: how promises were kept, and the checks that were made, the oldest first.

    `verdicts` are the last ones before the round that is kept, as far as whoever is told knows of them.
    """

    kept: tuple[Kept, ...] = ()
    points: tuple[Point, ...] = ()
    verdicts: Verdicts = field(default_factory=dict)


def last_verdicts(warehouse: Warehouse, at: int, chat: Chat | None, store: str | None) -> Verdicts:
    """The last verdict of every check that was not unknown.

    Args:
        chat: who knows of them, whatever instant they are of; None for all until `at`.
        store: of which those are asked for beside those of tables; None for none.
    """
    schema, table = warehouse.schema, CHECKS if chat is None else told.TABLE
    query = _last_verdicts(schema, at, store) if chat is None else told.known_query(schema, chat, store)
    found = _verdicts(warehouse.rows(query)) if warehouse.rows(_is_there(schema, table)) else {}
    return found if chat is None else {**found, **chat.amended}


def keep(profile: Profile, watched: Round, since: int, *, with_points: bool = False, chat: Chat | None = None) -> Past:
    """Put the checks of a round into the table, and look back from there.

    The checks take the place of those of the same views and the same instant. The verdicts before them are read in
    the same transaction, so that of two watches at once only one finds that something has begun.

    Args:
        since: when the period begins, in epoch milliseconds; it ends with the round.
        chat: who is going to be told, and knows of the checks from now on; the verdicts before are those that it knew.
        with_points: whether to look at every check of it.

    Raises:
        WarehouseOutOfReach: when another process holds the warehouse for longer than half a minute.
    """
    try:
        with _writable(profile) as connection:
            verdicts = _write(connection, profile.schema, watched, chat)
            table, within = _table(profile.schema), _within(since, watched.at, watched.store)
            return Past(
                kept_of(connection, table, within, watched.at),
                points_of(connection, table, within, since, watched.at) if with_points else (),
                verdicts,
            )
    except duckdb.Error as error:
        raise WarehouseOutOfReach(f"the history cannot be kept in {profile.path}: {one_line(error)}") from error


def amend(profile: Profile, chat: Chat, store: str | None) -> None:
    """Keep what a chat knows otherwise than the warehouse says, at the end of a watch: see `Chat.amended`.

    Raises:
        WarehouseOutOfReach: as `keep` does.
    """
    if not chat.amended:
        return
    try:
        with _writable(profile) as connection:
            _begin(connection, profile.schema)
            told.amend(connection, profile.schema, chat, store)
            connection.execute("commit")
    except duckdb.Error as error:
        raise WarehouseOutOfReach(f"the history cannot be kept in {profile.path}: {one_line(error)}") from error


def _write(connection: duckdb.DuckDBPyConnection, schema: str, watched: Round, chat: Chat | None) -> Verdicts:
    rows = pa.table(
        [pa.array([_cell(watched, check, name) for check in watched.checks], kind) for name, _, kind in _COLUMNS],
        names=[name for name, *_ in _COLUMNS],
    )
    table, columns = _table(schema), ", ".join(f"{name} {kind}" for name, kind, _ in _COLUMNS)
    connection.register("fsync_checks", rows)
    _begin(connection, schema)
    connection.execute(f"create table if not exists {table} ({columns})")
    connection.execute(f"alter table {table} add column if not exists store varchar")  # one of an earlier fsync
    if chat is not None:
        verdicts = told.claim(connection, schema, chat, watched)
    else:
        verdicts = _verdicts(connection.execute(_last_verdicts(schema, watched.at, watched.store)).fetchall())
    connection.execute(
        f"delete from {table} where watched_at = {instant_sql(watched.at)} and {_seen_with(watched.store)} "
        "and view_name in (select view_name from fsync_checks)"
    )
    too_old = to_datetime(watched.checked_at - KEEP_MS)
    connection.execute(f"delete from {table} where checked_at < $1", [too_old])
    connection.execute(f"insert into {table} by name from fsync_checks")
    connection.execute("commit")
    return verdicts


def _begin(connection: duckdb.DuckDBPyConnection, schema: str) -> None:
    """Begin a transaction in which there is the schema."""
    connection.execute("set enable_progress_bar = false; set timezone = 'UTC'")
    connection.execute("begin")
    connection.execute(f"create schema if not exists {exp.to_identifier(schema, quoted=True).sql(dialect='duckdb')}")


def _cell(watched: Round, check: Check, name: str) -> Any:
    instants = {"watched_at": watched.at, "checked_at": watched.checked_at}
    if name in instants:
        return to_datetime(instants[name])
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


def _last_verdicts(schema: str, at: int, store: str | None) -> str:
    """A query of (feature, signal, side, verdict): the last verdicts of tables and of a store, until an instant."""
    return f"""
        select feature, signal, side, arg_max(verdict, watched_at)
        from {_table(schema)}
        where verdict <> 'unknown' and watched_at <= {instant_sql(at)} and {_seen_with(store)}
        group by all
    """


def _verdicts(rows: Iterable[tuple[Any, ...]]) -> Verdicts:
    return {(feature, signal, side): verdict for feature, signal, side, verdict in rows}


def _is_there(schema: str, table: str) -> str:
    """A query of a row where there is a table, with the columns of this fsync."""
    name = exp.Literal.string(schema).sql(dialect="duckdb")
    of_table = f"schema_name = {name} and table_name = '{table}'"
    return f"select 1 from duckdb_columns() where {of_table} and column_name = 'store'"


def _table(schema: str) -> str:
    return exp.table_(CHECKS, db=schema, quoted=True).sql(dialect="duckdb")


def _within(since: int, until: int, store: str | None) -> str:
    return f"watched_at between {instant_sql(since)} and {instant_sql(until)} and {_seen_with(store)}"


def _seen_with(store: str | None) -> str:
    """Which checks a watch of a store goes by: those of tables, and its own; one without a store, of tables alone."""
    own = "false" if store is None else f"store = {exp.Literal.string(store).sql(dialect='duckdb')}"
    return f"(side = 'offline' or {own})"
