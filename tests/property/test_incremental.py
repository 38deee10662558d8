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
from typing import Any

import duckdb
import pytest

from fsync.compile import compile_project, plan_project
from fsync.dbt import run_dbt
from fsync.spec.project import Project, open_project
from tests.conftest import BARE, copy_reference

HERE = Path(__file__).parent / "incremental"
ROUNDS = int(os.environ.get("FSYNC_TEST_ROUNDS", "12"))
SEED = int(os.environ.get("FSYNC_TEST_SEED", random.SystemRandom().randrange(2**32)))
KILLS = int(os.environ.get("FSYNC_TEST_KILLS", "4"))
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


def test_two_events_that_swap_their_values_are_seen(project: Project, source: Callable[[], Connection]) -> None:
    """In DuckDB, the last value of a row goes into its hash by XOR: for these two, the sum of hashes stays the same."""
    with source() as connection:
        # what the view `windows` reads, of one entity and two instants
        pair = connection.execute(
            """
            with instants as (select timestamp '2024-03-01' + to_seconds(i) as t from range(100000) as r(i)),
            hashes as (
                select
                    t,
                    hash({'user_id': 1::bigint, 'event_at': t, 'amount': 1.12::decimal(10,2)})::hugeint as one,
                    hash({'user_id': 1::bigint, 'event_at': t, 'amount': 15.89::decimal(10,2)})::hugeint as other
                from instants
            )
            select a.t, b.t from hashes as a, hashes as b
            where a.t = timestamp '2024-03-01' and b.t <> a.t and a.one + b.other = a.other + b.one limit 1
            """
        ).fetchone()
        assert pair is not None, "DuckDB hashes rows in another way now: look for another pair, or drop this test"
        first, second = pair
        connection.execute(
            "insert into history.events values (1, 1, ?, 1.12, 'web'), (2, 1, ?, 15.89, 'web')", [first, second]
        )
        connection.execute("insert into history.events values (3, 2, timestamp '2024-05-01', 1, 'web')")
    specs = project.specs / "swapped.yml"
    specs.write_text(
        "features: [{name: swapped_7d, entity: user_id, source: history.events, owner: tests, view: swapped, "
        "transformation: 'window_max(amount, 7d)'}]"
    )
    try:
        compile_project(project)
        run_dbt(project, ["run"])
        with source() as connection:
            connection.execute(
                "update history.events set amount = case order_id when 1 then 15.89 else 1.12 end where order_id < 3"
            )
        run_dbt(project, ["run"])
        _assert_refreshed(project, source, "swapped")
        assert _incremental(source)["swapped"]
    finally:
        specs.unlink()
        compile_project(project)


def test_an_empty_source_settles_nothing(project: Project, source: Callable[[], Connection]) -> None:
    """The next events are recent ones, which are looked at alone; and a ledger does not keep who has none."""
    with source() as connection:
        append(connection, random.Random(SEED))
        # one that is settled, whatever the others are: of none, nothing changes when the source is empty
        connection.execute("insert into history.events values (0, 1, timestamp '2023-01-01', 1, 'web')")
    run_dbt(project, ["run"])
    before = _stamps(source)["windows"]["settled_at"]
    run_dbt(project, ["run", "--empty"])
    assert _stamps(source)["windows"]["settled_at"] < before
    with source() as connection:
        assert connection.execute("select count(*) from windows__ledger").fetchall() == [(0,)]
    run_dbt(project, ["run"])
    assert _stamps(source)["windows"]["settled_at"] == before
    _assert_refreshed(project, source, f"seed {SEED}")


def test_a_table_with_other_comments_is_built_anew(project: Project, source: Callable[[], Connection]) -> None:
    with source() as connection:
        append(connection, random.Random(SEED))
    run_dbt(project, ["run"])
    for comment in ("of mine", "[1, 2]", '{"fsync": 1}'):
        with source() as connection:
            connection.execute(f"comment on table windows is '{comment}'")
        run_dbt(project, ["run", "--select", "windows"])
        assert not _incremental(source)["windows"]
        _assert_refreshed(project, source, comment)


def test_sums_of_a_decimal_that_is_a_double_in_the_table_do_not_drift(
    project: Project, source: Callable[[], Connection]
) -> None:
    with source() as connection:
        connection.execute("alter table history.events alter amount type double")
        days = "select i, 1, timestamp '2024-01-01' + to_days(i), 0.1, 'web' from range(30) as t(i)"
        connection.execute(f"insert into history.events {days}")
    run_dbt(project, ["run", "--select", "windows"])
    with source() as connection:
        sums = connection.execute("select w_sum_7d from windows order by valid_from").fetchall()
    tenths = [*range(1, 8), *(7 for _ in range(7, 30)), *range(6, -1, -1)]
    assert [float(value) for (value,) in sums][-1] == 0
    assert sorted({str(value) for (value,) in sums}) == [f"{n / 10:.2f}" for n in sorted(set(tenths))]


def _incremental(source: Callable[[], Connection]) -> dict[str, bool]:
    """View → whether its last build computed only what had changed."""
    return {name: stamp["incremental"] for name, stamp in _stamps(source).items()}


def _stamps(source: Callable[[], Connection]) -> dict[str, dict[str, Any]]:
    """View → what its table's comment says."""
    with source() as connection:
        found = connection.execute(
            "select table_name, comment from duckdb_tables() where comment is not null"
        ).fetchall()
    return {name: json.loads(comment)["fsync"] for name, comment in found}


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
