"""A warehouse to measure: a source of events, a project with features over it, and dbt building them.

Everything that holds data runs in child processes (`measure.in_child`).
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Final

import duckdb

from measure import bare_project

#: the name of the only view, and of its table
VIEW: Final = "activity"
#: the warehouse, within the project
FILE: Final = "warehouse.duckdb"
WINDOWS: Final = ("7d", "30d", "90d")

_YEAR_MS: Final = 365 * 86_400_000

_SOURCE: Final = """\
sources:
  - name: history
    schema: history
    tables:
      - name: events
        config: {event_time: happened_at, meta: {fsync: {lateness: 2d}}}
        columns:
          - {name: event_id, data_type: bigint, data_tests: [unique]}
          - {name: user_id, data_type: bigint}
          - {name: happened_at, data_type: timestamp}
          - {name: amount, data_type: "decimal(10,2)"}
"""


def make_project(root: Path, threads: int = 2, aggregates: tuple[str, ...] = ("count", "sum", "max")) -> Path:
    """A project with the features of one view: these aggregates over 7, 30 and 90 days."""
    from fsync.compile import compile_project  # children that only run SQL do without
    from fsync.spec.project import open_project

    bare_project(root)
    profiles = root / "profiles.yml"
    settings = f"settings: {{TimeZone: UTC, threads: {threads}}}"
    profiles.write_text(profiles.read_text().replace("settings: {TimeZone: UTC}", settings))
    (root / "models").mkdir()
    (root / "models/source.yml").write_text(_SOURCE)
    (root / "feature_specs").mkdir()
    (root / "feature_specs/activity.yml").write_text(_specs(aggregates))
    compile_project(open_project(root))
    return root


def _specs(aggregates: tuple[str, ...]) -> str:
    lines = [f"defaults: {{entity: user_id, source: history.events, owner: bench, view: {VIEW}}}", "features:"]
    for window in WINDOWS:
        for aggregate in aggregates:
            arguments = window if aggregate == "count" else f"amount, {window}"
            lines.append(f'  - {{name: {aggregate}_{window}, transformation: "window_{aggregate}({arguments})"}}')
    return "\n".join(lines) + "\n"


# ---------------------------------------------------------------- events


def make_events(root: Path, events: int, user: str) -> None:
    """A year of events, in the order of time as sources hold them; `user` is SQL over `chance`, in [0, 1)."""
    with connect(root) as connection:
        connection.execute("create schema if not exists history")
        connection.execute(
            "create or replace table history.events "
            "(event_id bigint, user_id bigint, happened_at timestamp, amount decimal(10,2))"
        )
        _insert(connection, 0, events, f"timestamp '2024-01-01' + to_milliseconds({_between('number', events)})", user)


def skewed(entities: int) -> str:
    """The user of an event: few have many events, most have few or none."""
    return f"cast(floor({max(1, entities)} * chance * chance * chance) as bigint)"


def even(entities: int) -> str:
    """The user of an event: each has as many as the others, but for chance."""
    return f"cast(floor({max(1, entities)} * chance) as bigint)"


def append_day(root: Path, year: int, user: str) -> int:
    """One more day at the end of a year of `year` events, as busy as the others; how many events."""
    events = max(1, year // 365)
    instant = f"{_between(f'number - {year}', events)} // 365"
    with connect(root) as connection:
        _insert(connection, year, events, f"timestamp '2024-12-31' + to_milliseconds({instant})", user)
    return events


def append_late(root: Path, year: int, user: str, events: int = 100) -> int:
    """Events of the hours before the newest, within the lateness of the source; how many."""
    with connect(root) as connection:
        (first, newest) = connection.execute(
            "select max(event_id) + 1, max(happened_at) from history.events"
        ).fetchall()[0]
        instant = f"timestamp '{newest}' - to_milliseconds({_chance('number', 7)} * 40 * 3600000)"
        _insert(connection, first, events, f"date_trunc('millisecond', {instant})", user)
    return events


def _insert(connection: duckdb.DuckDBPyConnection, first: int, events: int, instant: str, user: str) -> None:
    """Events numbered from `first`; the same numbers give the same events, on every machine."""
    connection.execute(
        f"insert into history.events "
        f"select number, {user}, {instant}, cast({_chance('number', 3)} * 200 as decimal(10,2)) "
        f"from (select number, {_chance('number', 1)} as chance from range({first}, {first + events}) as _(number))"
    )


def _chance(number: str, seed: int) -> str:
    """In [0, 1), made of a number: no state, so that threads and order do not matter."""
    return f"(hash({number} * 16 + {seed}) >> 11) / 9007199254740992.0"


def _between(number: str, events: int) -> str:
    """A millisecond of the year: uniform, each event within its own part of it."""
    return f"cast(({number} + {_chance('number', 2)}) * {_YEAR_MS / events!r} as bigint)"


# ---------------------------------------------------------------- work for children


def connect(root: Path, threads: int | None = None) -> duckdb.DuckDBPyConnection:
    """The project's warehouse, as the profile opens it."""
    connection = duckdb.connect(str(root / FILE), config={"storage_compatibility_version": "v1.5.0"})
    connection.execute("set timezone = 'UTC'; set enable_progress_bar = false")
    if threads is not None:
        connection.execute(f"set threads = {threads}")
    return connection


def build(root: Path, full_refresh: bool = False) -> float:
    """Let dbt build the view: the seconds of its node, fingerprints, ledger and commit included."""
    from fsync.dbt import run_dbt
    from fsync.spec.project import open_project

    report = run_dbt(open_project(root), ["run", "--full-refresh"] if full_refresh else ["run"])
    (node,) = (node for node in report.nodes if node.name == VIEW)
    return node.seconds


def is_incremental(root: Path) -> bool:
    """Whether the last build of the view computed only what had changed."""
    with connect(root) as connection:
        query = "select comment from duckdb_tables() where table_name = ?"
        (comment,) = connection.execute(query, [VIEW]).fetchall()[0]
    return bool(json.loads(comment)["fsync"]["incremental"])


def create(root: Path, threads: int, table: str, sql: str) -> float:
    """The seconds of `create table … as` for a query; the table stays."""
    with connect(root, threads) as connection:
        connection.execute(f"drop table if exists {table}")
        started = time.perf_counter()
        connection.execute(f"create table {table} as {sql}")
        return time.perf_counter() - started


def compiled(root: Path) -> str:
    """The query of the view, as dbt has rendered it for the last build."""
    return (root / f"target/compiled/fsync/models/features/{VIEW}.sql").read_text()


def assert_same(root: Path, one: str, *others: str) -> None:
    """Every table holds the same rows, the same number of times: EXCEPT ALL both ways.

    In slices of entities, so that any size fits into memory.
    """
    with connect(root) as connection:
        for other in others:
            _assert_same(connection, one, other)


def _assert_same(connection: duckdb.DuckDBPyConnection, one: str, other: str) -> None:
    columns = ", ".join(name for name, *_ in connection.execute(f"describe {one}").fetchall())
    (rows,) = connection.execute(f"select count(*) from {one}").fetchall()[0]
    slices = 1 + rows // 2_000_000
    for number in range(slices):
        left, right = (
            f"(select {columns} from {table} where hash(user_id) % {slices} = {number})" for table in (one, other)
        )
        for a, b, name in ((left, right, one), (right, left, other)):
            (more,) = connection.execute(f"select count(*) from ({a} except all {b})").fetchall()[0]
            assert more == 0, f"{name} has {more} rows that the other of {one} and {other} has not"
