"""An incremental table is, row for row, what a full refresh makes, whatever has happened to its source.

Each round does something to a source with the histories of many entities, lets dbt build incrementally, and holds
every table against the query of its model, run over the source as it is. FSYNC_TEST_SEED repeats a run,
FSYNC_TEST_ROUNDS and FSYNC_TEST_KILLS make it longer.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from fsync.compile import compile_project, plan_project
from fsync.dbt import run_dbt
from fsync.spec.project import Project, open_project
from tests.conftest import BARE, copy_reference

HERE = Path(__file__).parent / "incremental"
ROUNDS = int(os.environ.get("FSYNC_TEST_ROUNDS", "12"))
SEED = int(os.environ.get("FSYNC_TEST_SEED", random.SystemRandom().randrange(2**32)))
KILLS = int(os.environ.get("FSYNC_TEST_KILLS", "6"))
ENTITIES = 150

START = datetime(2024, 2, 26)
STEPS = (0, 1, 3_600_000, 3_599_999, 86_400_000, 7 * 86_400_000, 7 * 86_400_000 - 1, 5_000_000)
AMOUNTS = ("null", "0", "0.01", "-5.25", "99999999.99")
CHANNELS = ("null", "'web'", "'shop'", "''")

Connection = duckdb.DuckDBPyConnection


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    root = copy_reference(tmp_path_factory.mktemp("incremental"), BARE)
    for name, folder in (("specs.yml", "feature_specs"), ("source.yml", "models")):
        (root / folder).mkdir()
        shutil.copy(HERE / name, root / folder / name)
    compile_project(open_project(root))
    return open_project(root)


@pytest.fixture
def source(project: Project) -> Callable[[], Connection]:
    """A new, empty source; gives connections to the warehouse, to be closed before dbt runs."""
    path = project.root / "warehouse.duckdb"
    path.unlink(missing_ok=True)

    def connect() -> Connection:
        connection = duckdb.connect(str(path))
        connection.execute("set timezone = 'UTC'")
        return connection

    with connect() as connection:
        connection.execute("create schema history")
        connection.execute(
            "create table history.events "
            "(order_id bigint, user_id bigint, happened_at timestamp, amount decimal(10,2), channel varchar)"
        )
    return connect


# ---------------------------------------------------------------- what can happen to a source


def append(connection: Connection, randomly: random.Random) -> None:
    """New events, some of them at the instants of others, some at the ends of their windows, some far in the past."""
    (newest, following) = connection.execute(
        "select coalesce(max(happened_at), ?), coalesce(max(order_id), 0) + 1 from history.events", [START]
    ).fetchall()[0]
    late = randomly.random() < 0.3
    rows = []
    for number in range(randomly.randint(1, 60)):
        user = "null" if randomly.random() < 0.03 else randomly.randint(1, ENTITIES)
        at = newest + timedelta(milliseconds=randomly.choice(STEPS) * (-randomly.randint(0, 4) if late else 1))
        when = "null" if randomly.random() < 0.03 else f"timestamp '{at}'"
        rows.append(f"({following + number}, {user}, {when}, {randomly.choice(AMOUNTS)}, {randomly.choice(CHANNELS)})")
    connection.execute(f"insert into history.events values {', '.join(rows)}")


def repeat(connection: Connection, randomly: random.Random) -> None:
    """Rows that arrive once more: the same unique key, the same values."""
    chosen = f"hash(order_id, {SEED}) % 20 = {randomly.randint(0, 19)}"
    connection.execute(f"create temp table again as select * from history.events where {chosen}")
    connection.execute("delete from history.events where order_id in (select order_id from again)")
    connection.execute("insert into history.events from again; drop table again")


def correct(connection: Connection, randomly: random.Random) -> None:
    """Rows that arrive once more with other values: another amount, time or entity."""
    change = randomly.choice(
        ("amount = 7.77", "happened_at = happened_at + interval 1 hour", "user_id = 1 + (user_id + 7) % 150")
    )
    connection.execute(f"update history.events set {change} where order_id % 23 = ?", [randomly.randint(0, 22)])


def delete(connection: Connection, randomly: random.Random) -> None:
    """Events that were none, and an entity that has asked to be forgotten."""
    connection.execute("delete from history.events where order_id % 29 = ?", [randomly.randint(0, 28)])
    connection.execute("delete from history.events where user_id = ?", [randomly.randint(1, ENTITIES)])


def empty(connection: Connection, randomly: random.Random) -> None:
    connection.execute("delete from history.events")


def nothing(connection: Connection, randomly: random.Random) -> None:
    """A build is run again."""


HAPPENINGS = (append, append, append, repeat, correct, delete, nothing)


# ---------------------------------------------------------------- the tests


def test_any_history_gives_the_table_of_a_full_refresh(project: Project, source: Callable[[], Connection]) -> None:
    randomly = random.Random(SEED)
    rows = 0
    for number in range(ROUNDS):
        happening = empty if number == ROUNDS // 2 else append if number == 0 else randomly.choice(HAPPENINGS)
        with source() as connection:
            for _ in range(10 if number == 0 else 1):
                happening(connection, randomly)
        run_dbt(project, ["run"])
        rows += _assert_refreshed(project, source, f"seed {SEED}, round {number}, {happening.__name__}")
    assert rows > ROUNDS * 100
    assert all(_incremental(source).values()), "the builds were incremental"


def test_another_definition_or_a_lost_ledger_builds_anew(project: Project, source: Callable[[], Connection]) -> None:
    specs = project.specs / "specs.yml"
    before = specs.read_text()
    with source() as connection:
        append(connection, random.Random(SEED))
    run_dbt(project, ["run"])
    try:
        specs.write_text(before.replace("window_count(1h)", "window_count(2h)"))
        compile_project(project)
        with source() as connection:
            append(connection, random.Random(SEED + 1))
            connection.execute("drop table daily__ledger")
        run_dbt(project, ["run"])
        _assert_refreshed(project, source, f"seed {SEED}")
        assert _incremental(source) == {"windows": False, "daily": False, "lifetimes": True, "composite": True}
        run_dbt(project, ["run", "--full-refresh"])
        assert not any(_incremental(source).values())
    finally:
        specs.write_text(before)
        compile_project(project)


def _incremental(source: Callable[[], Connection]) -> dict[str, bool]:
    """View → whether its last build computed only what had changed."""
    with source() as connection:
        found = connection.execute(
            "select table_name, comment from duckdb_tables() where comment is not null"
        ).fetchall()
    return {name: json.loads(comment)["fsync"]["incremental"] for name, comment in found}


def test_a_build_that_is_killed_loses_nothing(project: Project, source: Callable[[], Connection]) -> None:
    """Builds are killed at random moments; each leaves tables that a next build makes right."""
    randomly = random.Random(SEED)
    _append_many(source)
    run_dbt(project, ["run"])
    started = time.monotonic()
    assert _build_in_a_process(project) == 0
    duration = time.monotonic() - started
    killed = 0
    for number in range(KILLS):
        with source() as connection:
            for happening in (append, correct, delete):
                happening(connection, randomly)
        # the first half of such a process is Python and dbt starting up
        code = _build_in_a_process(project, killed_after=duration * randomly.uniform(0.45, 1))
        killed += code != 0
        if number % 2:  # or the next build meets what two of them have left
            run_dbt(project, ["run"])
            _assert_refreshed(project, source, f"seed {SEED}, kill {number}")
    assert killed, "some builds were killed before their end"


def _append_many(source: Callable[[], Connection]) -> None:
    """Enough events that a build takes a while."""
    with source() as connection:
        connection.execute(
            "insert into history.events select i, i % 150, timestamp '2024-02-26' + to_seconds((i * 7919) % 5000000), "
            "i % 97, 'web' from range(60000) as t(i)"
        )


def _build_in_a_process(project: Project, killed_after: float | None = None) -> int:
    """The exit code of `dbt run`; negative where a signal ended it."""
    dbt = Path(sys.executable).parent / "dbt"
    command = [str(dbt), "run", "--quiet", "--profiles-dir", ".", "--no-use-colors"]
    process = subprocess.Popen(command, cwd=project.root, stdout=subprocess.DEVNULL)
    try:
        return process.wait(killed_after)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _assert_refreshed(project: Project, source: Callable[[], Connection], what: str) -> int:
    """Every table holds the rows of its model's query, no more and no fewer; returns how many."""
    rows = 0
    with source() as connection:
        for view in plan_project(project).views:
            sql = (project.root / f"target/compiled/fsync/models/features/{view.name}.sql").read_text()
            connection.execute(f"create or replace temp table refreshed as {sql}")
            for one, other in (("refreshed", view.name), (view.name, "refreshed")):
                left = connection.execute(f"from {one} except all from {other}").fetchall()
                assert not left, f"{what}: {one} of {view.name} has {len(left)} rows more: {left[:3]}"
            rows += connection.execute(f"select count(*) from {view.name}").fetchall()[0][0]
    return rows
