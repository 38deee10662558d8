"""An offline table, a Redis, and what is done with both: shared by the benchmarks of pushing and reading.

Everything that holds data runs in child processes (`measure.in_child`).
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import duckdb
import redis

from measure import bare_project

VIEW: Final = "activity"
FILE: Final = "warehouse.duckdb"
#: when the table was built, and so the instant that is pushed
BUILT_AT: Final = "2026-01-01 00:00:00"

_SPECS: Final = """\
defaults: {entity: user_id, source: history.events, owner: bench, view: activity}
features:
  - {name: orders_7d, transformation: window_count(7d)}
  - {name: orders_30d, transformation: window_count(30d)}
  - {name: orders_ever, transformation: lifetime_count()}
  - {name: spend_7d, transformation: "window_sum(amount, 7d)"}
  - {name: spend_30d, transformation: "window_sum(amount, 30d)"}
  - {name: mean_30d, transformation: "window_avg(amount, 30d)"}
  - {name: highest_30d, transformation: "window_max(amount, 30d)"}
  - {name: last_channel, transformation: latest(channel)}
  - {name: last_member, transformation: latest(is_member)}
  - {name: last_seen, transformation: latest(happened_at)}
"""
_SOURCE: Final = """\
sources:
  - name: history
    schema: history
    tables:
      - name: events
        config: {event_time: happened_at}
        columns:
          - {name: event_id, data_type: bigint, data_tests: [unique]}
          - {name: user_id, data_type: bigint}
          - {name: happened_at, data_type: timestamp}
          - {name: amount, data_type: "decimal(10,2)"}
          - {name: channel, data_type: varchar}
          - {name: is_member, data_type: boolean}
"""

#: a value of each feature, of a number `n` that is another one for every row
_VALUES: Final = {
    "orders_7d": "n % 5",
    "orders_30d": "n % 5 + n % 11",
    "orders_ever": "1 + n % 1000",
    "spend_7d": "(n % 5) * 12.34::decimal(38,2)",
    "spend_30d": "(n % 5 + n % 11) * 12.34::decimal(38,2)",
    "mean_30d": "(n % 100000) / 7.0",
    "highest_30d": "((n % 20000) / 100)::decimal(10,2)",
    "last_channel": "['web', 'shop', 'telephone', 'app'][1 + n % 4]",
    "last_member": "n % 3 = 0",
    "last_seen": f"timestamp '{BUILT_AT}' - to_seconds(n % 8640000)",
}

#: the view's features, in the order of their specs
FEATURES: Final = tuple(_VALUES)


def make_project(root: Path, entities: int) -> None:
    """A project with one view of ten features, and its table: two past rows an entity and the one that holds now.

    Of every tenth entity a change is known to come within the horizon.
    """
    from fsync.compile import plan_project
    from fsync.spec.project import open_project

    bare_project(root)
    for path, text in (("models/source.yml", _SOURCE), ("feature_specs/activity.yml", _SPECS)):
        (root / path).parent.mkdir()
        (root / path).write_text(text)
    (view,) = plan_project(open_project(root)).views
    kinds = {planned.name: str(planned.type) for planned in view.features}
    fill(root, kinds, entities, "if(user_id % 10 = 0, [0, 1, 2, 3], [0, 1, 2])", 24, 60)
    stamp(root, BUILT_AT, view.hash)


def fill(root: Path, kinds: Mapping[str, str], entities: int, turns: str, hours: float, before: float) -> None:
    """Make the view's table: of each entity a row for each of `turns`, a SQL list, so many hours apart.

    The first is `before` hours before the build, and the entities stand in order, as a build leaves them.
    """
    values = ", ".join(f"cast({_VALUES[name]} as {kind}) as {name}" for name, kind in kinds.items())
    with _connect(root) as connection:
        connection.execute(
            f"create or replace table {VIEW} as with changes as (select user_id, unnest({turns}) as turn "
            f"from range({entities}) as _(user_id)), numbered as (select user_id, "
            f"cast(hash(user_id * 100003 + turn) >> 1 as bigint) as n, timestamp '{BUILT_AT}' "
            f"+ to_milliseconds(cast((turn * {hours} - {before}) * 3600000 as bigint)) as valid_from from changes) "
            f"select user_id, valid_from, lead(valid_from, 1, timestamp '9999-12-31') "
            f"over (partition by user_id order by valid_from) as valid_to, {values} from numbered order by user_id"
        )


def _connect(root: Path, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(str(root / FILE), read_only=read_only)
    connection.execute("set enable_progress_bar = false")  # stdout is for measures
    return connection


def build_again(root: Path) -> None:
    """Say that the table was built a minute later: a build that has changed nothing."""
    with _connect(root) as connection:
        ((comment,),) = connection.execute("select comment from duckdb_tables()").fetchall()
    stamped = json.loads(comment)["fsync"]
    stamp(root, str(datetime.fromisoformat(stamped["built_at"]) + timedelta(minutes=1)), stamped["hash"])


def stamp(root: Path, built_at: str, version: str) -> None:
    """Say when the table was built, and of which version it is."""
    with _connect(root) as connection:
        written = json.dumps({"fsync": {"view": VIEW, "hash": version, "built_at": built_at}})
        connection.execute(f"comment on table {VIEW} is '{written}'")


def change(root: Path) -> None:
    """Give one entity in a hundred another value."""
    with _connect(root) as connection:
        connection.execute(
            f"update {VIEW} set orders_ever = orders_ever + 1 where valid_to >= '{BUILT_AT}' and user_id % 100 = 0"
        )
    build_again(root)


def lose_record(root: Path) -> None:
    """Forget what was pushed, as a machine without a disk of its own does."""
    shutil.rmtree(root / ".fsync/pushed")


# ---------------------------------------------------------------- a Redis


@contextmanager
def redis_server() -> Iterator[int]:
    """A Redis that keeps nothing on disk, on a free port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = int(listener.getsockname()[1])
    program = shutil.which("redis-server") or sys.exit("no redis-server: apt-get install redis-server")
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            while True:
                try:
                    redis.Redis(port=port).ping()
                    break
                except redis.ConnectionError:
                    time.sleep(0.05)
            yield port
        finally:
            process.terminate()


def used_memory(port: int) -> int:
    return int(redis.Redis(port=port).info("memory")["used_memory"])


# ---------------------------------------------------------------- work for children


def version(root: Path) -> str:
    """The hash of the view."""
    from fsync.compile import plan_project
    from fsync.spec.project import open_project

    (view,) = plan_project(open_project(root)).views
    return view.hash


def push(root: Path, port: int, full: bool = False) -> dict[str, Any]:
    """One push, from opening the warehouse to the record of it."""
    from fsync.compile import plan_project
    from fsync.push import push_view
    from fsync.pushed import folder_of
    from fsync.spec.project import open_project
    from fsync.store import open_store
    from fsync.warehouse.duckdb import Warehouse
    from fsync.warehouse.profile import read_profile

    project = open_project(root)
    (view,) = plan_project(project).views
    began = time.perf_counter()
    with closing(open_store(f"redis://127.0.0.1:{port}/0")) as store, Warehouse(read_profile(project)) as warehouse:
        record = folder_of(project.root, store, "fs", view.name, view.hash)
        report = push_view(view, warehouse, store, record=record, full=full)
    return {
        "seconds": time.perf_counter() - began,
        "written": report.written,
        "unchanged": report.unchanged,
        "keys": report.keys,
    }


def write_commands(port: int, file: Path) -> int:
    """What Redis holds of the view, as a file of commands for `redis-cli --pipe`; how many commands."""
    from fsync import wire
    from fsync.store import open_store
    from fsync.store.resp import set_commands

    commands = 0
    with closing(open_store(f"redis://127.0.0.1:{port}/0")) as store, file.open("wb") as out:
        (raw,) = store.get([wire.meta_key("fs", VIEW)])
        assert raw is not None
        meta = wire.decode_meta(raw)
        for batch in store.scan(*wire.around_entity("fs", VIEW, meta.hash)):
            values = batch["value"].cast("string")
            for buffer, rows in set_commands(batch["key"], values, 4 * 86_400_000):
                out.write(buffer)
                commands += rows.stop - rows.start
    return commands


def write_history(root: Path, file: Path) -> None:
    """Every row of the table, from the time that it holds, as other feature stores take them."""
    _write(root, file, "valid_from")


def write_parquet(root: Path, file: Path) -> int:
    """The rows that hold now, as other feature stores take them; how many."""
    is_now = f"valid_from < '{BUILT_AT}' and valid_to >= '{BUILT_AT}'"
    return _write(root, file, f"timestamp '{BUILT_AT}'", is_now)


def _write(root: Path, file: Path, timestamp: str, condition: str = "true") -> int:
    # DECIMAL(38) and timestamps that Feast does not take are DOUBLE and microseconds
    columns = (f"cast({name} as double) as {name}" if "decimal" in sql else name for name, sql in _VALUES.items())
    with _connect(root, read_only=True) as connection:
        connection.execute(
            f"copy (select user_id, {', '.join(columns)}, {timestamp} as event_timestamp, {timestamp} as created "
            f"from {VIEW} where {condition}) to '{file}' (format parquet)"
        )
        return int(connection.execute(f"select count(*) from '{file}'").fetchall()[0][0])
