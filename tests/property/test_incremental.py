"""An incremental table is, row for row, what a full refresh makes, whatever has happened to its source.

Each round does something to a source with the histories of many entities, lets dbt build incrementally, and holds
every table against the query of its model, run over the source as it is. FSYNC_TEST_SEED repeats a run,
FSYNC_TEST_ROUNDS makes it longer.
"""

from __future__ import annotations

import os
import random
import shutil
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
    connection.execute(
        "create temp table again as select * from history.events where hash(order_id, ?) % 20 = 0", [SEED]
    )
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
    with source() as connection:
        stamps = connection.execute("select comment from duckdb_tables() where comment is not null").fetchall()
    assert all('"incremental": true' in stamp for (stamp,) in stamps), "the builds were incremental"


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
