"""Feature tables in DuckDB, read in batches through a connection that is held as short as can be."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import duckdb
import pyarrow as pa
from sqlglot import exp

from fsync.errors import InputError, NotBuilt, WarehouseOutOfReach, one_line
from fsync.instant import to_datetime, to_milliseconds
from fsync.plan import View
from fsync.sql.online import online_query
from fsync.warehouse.profile import Profile
from fsync.wire import Value

#: rows a batch: what a reader holds in memory at once
BATCH: Final = 20_000

_BUILD: Final = "run `fsync build`"
_PROGRESS_SECONDS: Final = 0.2

#: called with what is done, and all there is
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Table:
    """A built feature table, as its stamp describes it. `built_at` is in epoch milliseconds.

    Its rows are made of `events`. Others of the source were left out, since they have no entity, or no time that
    is one.
    """

    schema: str
    name: str
    view: str
    hash: str
    built_at: int
    events: int
    without_entity: int
    without_time: int
    #: whether the last build computed only what had changed
    is_incremental: bool
    #: the time of its newest event, in epoch milliseconds; None where it has none, or an earlier fsync built it
    newest_event: int | None = None

    @property
    def sql(self) -> str:
        return exp.table_(self.name, db=self.schema, quoted=True).sql(dialect="duckdb")


class Warehouse:
    """A read-only connection to a warehouse file. A context manager: other processes wait for its end."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._connection = _open(profile.path)
        # names without a schema are those of the target, where it has one of its own
        with suppress(duckdb.CatalogException):
            self._connection.execute(f"set schema = {exp.Literal.string(profile.schema).sql(dialect='duckdb')}")

    @property
    def schema(self) -> str:
        """The schema of the target."""
        return self._profile.schema

    def table(self, view: View) -> Table:
        """The table that holds a view, of the version that its specs describe.

        Raises:
            NotBuilt: when there is none, or it is of another version.
        """
        tables = [table for table in self._tables() if table.view == view.name and self._is_of_target(table)]
        if not tables:
            raise NotBuilt(f"the view {view.name} is not built in {self._profile.path.name}", _BUILD)
        table = max(tables, key=lambda table: table.built_at)
        if table.hash != view.hash:
            raise NotBuilt(
                f"the table of {view.name} was built from another version of its specs "
                f"({table.hash}, and they are now {view.hash})",
                _BUILD,
            )
        return table

    def newest_tables(self) -> Mapping[str, Table]:
        """The newest table of every view that the target has one of, of whatever version, by the view's name."""
        tables = sorted(self._tables(), key=lambda table: table.built_at)
        return {table.view: table for table in tables if self._is_of_target(table)}

    def count(self, table: Table) -> int:
        """The number of rows of a table."""
        return self._number(f"select count(*) from {table.sql}")

    def entities(self, view: View, table: Table) -> int:
        """The number of entities that a table has rows of."""
        keys = ", ".join(column.name for column in view.entity)
        return self._number(f"select count(*) from (select distinct {keys} from {table.sql})")

    def holding(self, table: Table, as_of: int) -> int:
        """The number of entities that have a row at an instant, in epoch milliseconds."""
        query = "select count(*) from {table} where valid_from < $as_of and valid_to >= $as_of"
        return self._number(query.format(table=table.sql), {"as_of": to_datetime(as_of)})

    def changes(
        self,
        view: View,
        table: Table,
        as_of: int,
        until: int,
        empty: Sequence[Value],
        prefix: str,
        known: Path | None,
        *,
        sparse: bool,
    ) -> Iterator[pa.RecordBatch]:
        """What has to change in a store for it to hold a view; see `fsync.sql.online.online_query`.

        Args:
            known: a Parquet file of (key, fingerprint), which the store holds; None for nothing.

        Yields batches of (key, value, fingerprint, is_new), in no order. `value` and `fingerprint` are NULL for a
        key that has no value any more; a known fingerprint of NULL is that of another value.
        """
        held = online_query(view, table.sql, as_of, until, empty, prefix, sparse=sparse)
        query = f"select key, value, hash(value) as fingerprint, true as is_new from (\n{held}\n)"
        if known is not None:
            query = (
                f"select coalesce(held.key, known.key) as key, held.value, held.fingerprint, "
                f"known.key is null as is_new from ({query}) held "
                f"full join read_parquet($known) known on held.key = known.key "
                f"where known.key is null or held.key is null "
                f"or known.fingerprint is distinct from held.fingerprint"
            )
        with _answering(self._profile.path):
            # joins are built on their right sides, as they are written, so that the values stream through
            self._connection.execute("set disabled_optimizers = 'build_side_probe_side,join_order'")
            relation = self._connection.sql(query, params={} if known is None else {"known": str(known)})
            yield from relation.to_arrow_reader(BATCH)

    # ---------------------------------------------------------------- queries of other modules

    def give(self, name: str, data: object) -> None:
        """Let queries read a table of this process: of Arrow, pandas or Polars. Raises InputError for another thing."""
        try:
            self._connection.register(name, data)
        except (duckdb.Error, TypeError) as error:
            raise InputError(f"{type(data).__name__} is no table: {one_line(error)}") from error

    def columns(self, query: str) -> list[tuple[str, str]]:
        """The names and DuckDB's types of a query's columns, in order. Raises InputError for what is no query."""
        with self._asking():
            rows = self._connection.execute(f"describe {query}").fetchall()
        return [(name, kind) for name, kind, *_ in rows]

    def row(self, query: str) -> tuple[Any, ...]:
        """The only row of a query."""
        (row,) = self.rows(query)
        return row

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query that has few."""
        with self._asking():
            return [tuple(row) for row in self._connection.execute(query).fetchall()]

    def first_change(self, table: Table) -> int | None:
        """When the first row of a table begins, in epoch milliseconds; None where it has none."""
        (first,) = self.row(f"select epoch_ms(min(valid_from)) from {table.sql}")
        return None if first is None else int(first)

    def to_arrow(self, query: str) -> pa.Table:
        """The rows of a query."""
        with self._asking():
            return self._connection.sql(query).to_arrow_table()

    def write_parquet(self, query: str, path: Path, progress: Progress | None = None) -> None:
        """Write the rows of a query to a file, in bounded memory: what does not fit spills to disk.

        Args:
            progress: called with hundredths that are done, and 100.
        """
        target = exp.Literal.string(str(path)).sql(dialect="duckdb")
        command = f"copy ({query}) to {target} (format parquet)"
        with self._asking():
            if progress is None:
                self._connection.execute(command)
                return
            # the engine keeps count only where it may draw a bar
            self._connection.execute("set enable_progress_bar = true; set enable_progress_bar_print = false")
            with ThreadPoolExecutor(1, thread_name_prefix="query") as runner:
                running = runner.submit(self._connection.execute, command)
                try:
                    while not wait([running], _PROGRESS_SECONDS).done:
                        progress(max(0, int(self._connection.query_progress())), 100)
                except BaseException:  # Ctrl-C: the query does not end on its own
                    self._connection.interrupt()
                    raise
                running.result()

    def limit_memory(self, limit: str) -> None:
        """Let queries use at most so much memory, such as `4GB`. Raises InputError for what is no such size."""
        with self._asking():
            self._connection.execute("set memory_limit = $limit", {"limit": limit})

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """What a person asked for can be wrong, where what we ask is not."""
        with _answering(self._profile.path):
            try:
                yield
            except (duckdb.IOException, duckdb.InterruptException, duckdb.OutOfMemoryException):
                raise
            except duckdb.Error as error:
                # without the line of the query that DuckDB shows: part of it is ours
                raise InputError(one_line(str(error).partition("\n\nLINE")[0])) from error

    def _tables(self) -> Iterator[Table]:
        query = "select schema_name, table_name, comment from duckdb_tables() where comment like '{\"fsync\":%'"
        with _answering(self._profile.path):
            rows = self._connection.execute(query).fetchall()
        for schema, name, comment in rows:
            stamp = json.loads(comment)["fsync"]
            yield Table(
                schema=schema,
                name=name,
                view=stamp["view"],
                hash=stamp["hash"],
                built_at=to_milliseconds(stamp["built_at"]),
                events=stamp.get("events", 0),
                without_entity=stamp.get("without_entity", 0),
                without_time=stamp.get("without_time", 0),
                is_incremental=stamp.get("incremental", False),
                newest_event=None if stamp.get("newest_event") is None else to_milliseconds(stamp["newest_event"]),
            )

    def _is_of_target(self, table: Table) -> bool:
        # dbt builds into the target's schema, or one that begins with its name (`+schema: features`)
        return table.schema == self._profile.schema or table.schema.startswith(f"{self._profile.schema}_")

    def _number(self, query: str, parameters: Mapping[str, object] | None = None) -> int:
        # all rows are fetched: a result that is not at its end keeps the connection from its next query
        with _answering(self._profile.path):
            ((number,),) = self._connection.execute(query, parameters).fetchall()
        return int(number)

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Warehouse:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _open(path: Path) -> duckdb.DuckDBPyConnection:
    if not path.is_file():
        raise NotBuilt(f"there is no warehouse at {path}", _BUILD)
    with _answering(path):
        connection = duckdb.connect(str(path), read_only=True)
        # stdout is for data; a push has a bar of its own
        connection.execute("set enable_progress_bar = false; set timezone = 'UTC'")
        # a name in a query is a relation's: nothing of this program, and nothing to be downloaded
        connection.execute("set python_enable_replacements = false; set autoinstall_known_extensions = false")
        return connection


@contextmanager
def _answering(path: Path) -> Iterator[None]:
    """DuckDB's errors as ours; Ctrl-C, which ends a running query with an error of its own, as Ctrl-C."""
    try:
        yield
    except (duckdb.Error, RuntimeError) as error:
        message = one_line(error)
        if isinstance(error, duckdb.InterruptException) or "interrupted" in message.lower():
            raise KeyboardInterrupt from error
        if not isinstance(error, duckdb.Error):
            raise
        raise WarehouseOutOfReach(f"the warehouse {path} does not answer: {message}") from error
