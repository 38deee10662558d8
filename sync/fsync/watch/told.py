"""What chats were told last, in the table `fsync_watch_told` of the warehouse: the verdict of each check.

It is not what was seen last: a chat may have been down then, or somebody has looked by hand. Of what is online each
store has verdicts of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import duckdb
import pyarrow as pa
from sqlglot import exp

from fsync.watch.check import Line, Round, Verdicts, verdicts_of

TABLE: Final = "fsync_watch_told"


@dataclass(frozen=True)
class Chat:
    """Somebody who is told what begins and what is over.

    `amended` is what it knows otherwise than the table says: what it could not be told, and what it was told while the
    history could not be kept.
    """

    id: str
    amended: Verdicts = field(default_factory=dict)


def claim(connection: duckdb.DuckDBPyConnection, schema: str, chat: Chat, watched: Round) -> Verdicts:
    """What a chat knew before a round, of which it knows from now on. In the transaction of the caller."""
    amend(connection, schema, chat, watched.store)
    rows = connection.execute(known_query(schema, chat, watched.store)).fetchall()
    _put(connection, schema, chat, watched.store, verdicts_of(watched.checks))
    return {(feature, signal, side): verdict for feature, signal, side, verdict in rows}


def amend(connection: duckdb.DuckDBPyConnection, schema: str, chat: Chat, store: str | None) -> None:
    """Let the table say what a chat knows. In the transaction of the caller.

    Args:
        store: that is watched, None for none.
    """
    columns = "chat varchar, store varchar, feature varchar, signal varchar, side varchar, verdict varchar"
    connection.execute(f"create table if not exists {_table(schema)} ({columns})")
    _put(connection, schema, chat, store, chat.amended)


def known_query(schema: str, chat: Chat, store: str | None) -> str:
    """A query of (feature, signal, side, verdict): what a chat knows of tables and of a store, as the table says."""
    names = {"chat": chat.id, "store": store or ""}
    text = {name: exp.Literal.string(value).sql(dialect="duckdb") for name, value in names.items()}
    return (
        f"select feature, signal, side, verdict from {_table(schema)} "
        f"where chat = {text['chat']} and store in ('', {text['store']})"
    )


def _put(
    connection: duckdb.DuckDBPyConnection, schema: str, chat: Chat, store: str | None, verdicts: Mapping[Line, str]
) -> None:
    if not verdicts:
        return
    rows = [
        (chat.id, (store or "") if side == "online" else "", feature, signal, side, str(verdict))
        for (feature, signal, side), verdict in verdicts.items()
    ]
    names = ["chat", "store", "feature", "signal", "side", "verdict"]
    connection.register("fsync_known", pa.table([list(column) for column in zip(*rows, strict=True)], names=names))
    same = " and ".join(f"known.{name} = told.{name}" for name in names[:-1])
    connection.execute(f"delete from {_table(schema)} as told using fsync_known as known where {same}")
    connection.execute(f"insert into {_table(schema)} by name from fsync_known")


def _table(schema: str) -> str:
    return exp.table_(TABLE, db=schema, quoted=True).sql(dialect="duckdb")
