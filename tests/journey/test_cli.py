"""The command line as a person meets it: what each command prints where, its exit code, and what can go wrong."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from fsync.errors import InputError
from fsync.push import push_project
from fsync.spec.project import open_project
from tests.conftest import ROOT, Ended

Fsync = Callable[..., Ended]


@pytest.fixture
def project(warehouse: Path, tmp_path: Path) -> Path:
    """A built project that a test may spoil."""
    return Path(shutil.copytree(warehouse, tmp_path / "my project"))


@pytest.fixture
def locked(project: Path) -> Iterator[int]:
    """Another process holds the warehouse; its process id."""
    hold = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", hold, str(project / "warehouse.duckdb")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        yield holder.pid
        holder.terminate()


def test_bare_fsync_shows_where_to_start(fsync: Fsync) -> None:
    ended = fsync()
    assert ended.code == 0
    for command in ("demo", "compile", "build", "push", "get"):
        assert f"fsync {command}" in ended.out


def test_a_wrong_command_or_option_is_2(fsync: Fsync) -> None:
    for arguments in (["nope"], ["push", "--nope"], ["get"]):
        ended = fsync(*arguments)
        assert (ended.code, ended.out) == (2, "")
        assert "Traceback" not in ended.err


def test_outside_a_project_every_command_says_so(fsync: Fsync, tmp_path: Path) -> None:
    for command in (["compile"], ["build"], ["push"], ["get", "v", "1"]):
        ended = fsync(*command, "--project-dir", tmp_path)
        assert ended.code == 2
        assert "there is no dbt_project.yml" in ended.err


def test_compiling_twice_is_compiling_once(fsync: Fsync, project: Path) -> None:
    shutil.rmtree(project / "models/features")
    first = fsync("compile", "--project-dir", project, "--json")
    files = {path: path.read_bytes() for path in (project / "models/features").rglob("*") if path.is_file()}
    second = fsync("compile", "--project-dir", project, "--json")
    assert len(json.loads(first.out)["written"]) == 13
    assert (json.loads(second.out)["written"], json.loads(second.out)["deleted"]) == ([], [])
    assert files == {path: path.read_bytes() for path in (project / "models/features").rglob("*") if path.is_file()}


def test_what_is_committed_is_what_the_specs_compile_to(fsync: Fsync) -> None:
    ended = fsync("compile", "--check", "--project-dir", ROOT)
    assert ended.code == 0, ended.err


def test_check_and_dry_run_write_nothing_and_name_what_differs(fsync: Fsync, project: Path) -> None:
    for spec in ("user_lifetime.yml", "services/churn_model.yml"):
        (project / "feature_specs" / spec).unlink()
    before = {path: path.read_bytes() for path in (project / "models").rglob("*") if path.is_file()}
    check = fsync("compile", "--check", "--project-dir", project)
    assert check.code == 1
    assert "models/features/user_lifetime.sql" in check.err
    dry = fsync("compile", "--dry-run", "--project-dir", project)
    assert dry.code == 0
    assert "would delete models/features/user_lifetime.sql" in dry.err
    assert before == {path: path.read_bytes() for path in (project / "models").rglob("*") if path.is_file()}
    assert fsync("compile", "--project-dir", project).code == 0
    assert not (project / "models/features/user_lifetime.sql").exists()
    assert not (project / "models/features/services/churn_model.yml").exists()


def test_a_file_of_somebody_elses_is_not_overwritten_nor_deleted(fsync: Fsync, project: Path) -> None:
    mine = project / "models/features/user_lifetime.sql"
    mine.write_text("select 1")
    ended = fsync("compile", "--project-dir", project)
    assert ended.code == 2
    assert "models/features/user_lifetime.sql stands there already" in ended.err
    other = project / "models/features/by_hand.sql"
    shutil.move(mine, other)
    assert fsync("compile", "--project-dir", project).code == 0
    assert other.read_text() == "select 1"


def test_no_spec_at_all_is_2(fsync: Fsync, project: Path) -> None:
    shutil.rmtree(project / "feature_specs")
    ended = fsync("compile", "--project-dir", project)
    assert ended.code == 2
    assert "there is no feature spec" in ended.err


def test_build_reports_tables_and_tests(fsync: Fsync, project: Path) -> None:
    ended = fsync("build", "--project-dir", project, "--json")
    assert ended.code == 0, ended.err
    report = json.loads(ended.out)
    assert {view["view"]: view["entities"] for view in report["views"]} == {
        "user_id__orders_stream": 2_000,
        "user_lifetime": 2_000,
    }
    # beside contracts and soundness, three monitors of each of two views
    assert (report["models"], report["tests"]) == (12, 27)


def test_a_data_test_that_fails_is_1_and_named(fsync: Fsync, project: Path) -> None:
    staging = project / "models/staging/orders_stream.sql"
    staging.write_text(staging.read_text().replace("cast(order_id as bigint)", "cast(1 as bigint)"))
    ended = fsync("build", "--project-dir", project)
    assert ended.code == 1
    assert "test unique_orders_stream_order_id" in ended.err


def test_a_model_that_dbt_cannot_read_is_2(fsync: Fsync, project: Path) -> None:
    (project / "models/staging/broken.sql").write_text("{{ nope( }}")
    ended = fsync("build", "--project-dir", project)
    assert ended.code == 2
    assert "models/staging/broken.sql" in ended.err
    assert "Traceback" not in ended.err


def test_events_without_entity_or_time_are_left_out_and_an_empty_source_is_no_fault(
    fsync: Fsync, project: Path
) -> None:
    staging = project / "models/staging/orders_stream.sql"
    staging.write_text(staging.read_text() + "\nwhere false\n")
    assert fsync("build", "--project-dir", project).code == 0
    pushed = fsync("push", "--project-dir", project, "--json")
    assert [json.loads(line).get("written", "a service") for line in pushed.out.splitlines()] == [0, 0, "a service"]
    read = fsync("get", "user_lifetime", "42", "--project-dir", project, "--json")
    feature = json.loads(read.out)["features"]["user_lifetime_spend"]
    assert feature == {"value": "0.00", "status": "empty"}


def test_a_locked_warehouse_is_3_and_names_the_process(fsync: Fsync, project: Path, locked: int) -> None:
    for command in ("push", "build"):
        ended = fsync(command, "--project-dir", project)
        assert ended.code == 3, ended.err
        assert str(locked) in ended.err
        assert "let it end" in ended.err


def test_a_redis_that_does_not_answer_is_3_and_no_password_is_told(fsync: Fsync, project: Path) -> None:
    url = "redis://me:hunter2@localhost:1/0"
    for command in (["push"], ["get", "user_lifetime", "42"]):
        ended = fsync(*command, "--project-dir", project, "--online", url)
        assert ended.code == 3
        assert "does not answer" in ended.err
        assert "hunter2" not in ended.err + ended.out


@pytest.mark.parametrize("url", ["redis://me:hunter2@localhost:port", "mongodb://me:hunter2@x", "sqlite:///", "x"])
def test_a_wrong_url_is_2_and_no_password_is_told(fsync: Fsync, project: Path, url: str) -> None:
    ended = fsync("push", "--project-dir", project, "--online", url)
    assert ended.code == 2
    assert "hunter2" not in ended.err + ended.out


def test_pushing_what_is_not_built_or_not_there_is_2(fsync: Fsync, project: Path) -> None:
    assert "there is no view 'user_lifetme'" in fsync("push", "user_lifetme", "--project-dir", project).err
    spec = project / "feature_specs/user_30d_purchase_count.yml"
    spec.write_text(spec.read_text().replace("30d)", "31d)"))
    changed = fsync("push", "--project-dir", project)
    assert (changed.code, "another version of its specs" in changed.err) == (2, True)
    (project / "warehouse.duckdb").unlink()
    gone = fsync("push", "--project-dir", project)
    assert (gone.code, "run `fsync build`" in gone.err) == (2, True)


def test_push_and_get_through_the_embedded_store(fsync: Fsync, project: Path) -> None:
    before = fsync("get", "user_lifetime", "42", "--project-dir", project)
    assert (before.code, before.out) == (1, "")
    assert "not pushed" in before.err

    dry = fsync("push", "--as-of", "1998-07-01", "--dry-run", "--project-dir", project)
    assert dry.code == 0
    assert not (project / "online.sqlite").exists()
    assert fsync("get", "user_lifetime", "42", "--project-dir", project).code == 1

    pushed = fsync("push", "--as-of", "1998-07-01", "--project-dir", project)
    assert (pushed.code, pushed.out) == (0, "")
    assert "wrote 2,000 keys (2,000 new, 0 changed), unchanged 0, deleted 0" in pushed.err
    again = fsync("push", "user_lifetime", "--as-of", "1998-07-01", "--project-dir", project, "--json")
    view, service = map(json.loads, again.out.splitlines())
    assert [view[count] for count in ("written", "unchanged", "deleted")] == [0, 2_000, 0]
    assert (service["service"], service["changed"]) == ("churn_model", False)

    got = fsync("get", "user_lifetime", "42", "1", "--at", "1998-07-01", "--project-dir", project, "--json")
    first, second = map(json.loads, got.out.splitlines())
    assert first["features"]["user_lifetime_spend"] == {"value": "38.32", "status": "ok"}
    assert (first["at"], first["as_of"], second["key"]) == ("1998-07-01T00:00:00Z", "1998-07-01T00:00:00Z", "1")
    stale = fsync("get", "user_lifetime", "42", "--project-dir", project)
    assert stale.code == 0
    assert "user_lifetime_spend       38.32  stale" in stale.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["push", "--as-of", "yesterday"], "'yesterday' is not a time"),
        (["push", "--horizon", "5"], "'5' is not a duration"),
        (["push", "--as-of", "9999-12-31"], "knows nothing of the time until"),
        (["push", "--as-of", "0001-01-01T00:00:00+14:00"], "outside the years"),
        (["push", "--target", "prod"], "no target 'prod'"),
        (["build", "--target", "prod"], "no target 'prod'"),
        (["get", "user_lifetime", "42", "--at", "30d"], "'30d' is not a time"),
    ],
)
def test_a_wrong_argument_is_2_and_told(fsync: Fsync, project: Path, arguments: list[str], message: str) -> None:
    ended = fsync(*arguments, "--project-dir", project)
    assert ended.code == 2
    assert message in ended.err


def test_dbts_own_settings_are_gone_by(fsync: Fsync, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A target path of the project's, and a profile somewhere else."""
    (project / "profiles").mkdir()
    shutil.move(project / "profiles.yml", project / "profiles/profiles.yml")
    profile = project / "profiles/profiles.yml"
    profile.write_text(profile.read_text().replace("warehouse.duckdb", "other.duckdb"))
    settings = project / "dbt_project.yml"
    settings.write_text(settings.read_text() + "\ntarget-path: out\n")
    monkeypatch.setenv("DBT_PROFILES_DIR", str(project / "profiles"))
    assert fsync("build", "--project-dir", project).code == 0
    assert (project / "other.duckdb").is_file()
    assert (project / "out/run_results.json").is_file()
    monkeypatch.delenv("DBT_PROFILES_DIR")
    monkeypatch.setenv("HOME", str(project))
    without = fsync("build", "--project-dir", project)
    assert (without.code, "there is no profiles.yml" in without.err) == (2, True)


def test_a_warehouse_that_is_none_is_3(fsync: Fsync, project: Path) -> None:
    (project / "warehouse.duckdb").write_bytes(b"junk" * 5000)
    for command in ("push", "build"):
        assert fsync(command, "--project-dir", project).code == 3


@pytest.mark.parametrize("in_the_way", ["models/features/user_lifetime.sql", "models/features"])
def test_something_where_fsync_writes_is_2(fsync: Fsync, project: Path, in_the_way: str) -> None:
    shutil.rmtree(project / "models/features")
    (project / in_the_way).parent.mkdir(exist_ok=True)
    (project / in_the_way).mkdir() if in_the_way.endswith(".sql") else (project / in_the_way).write_text("")
    ended = fsync("compile", "--project-dir", project)
    assert (ended.code, "Traceback" in ended.err) == (2, False)


def test_a_demo_goes_into_an_empty_folder_only(fsync: Fsync, project: Path) -> None:
    ended = fsync("demo", "--dir", project)
    assert ended.code == 2
    assert "is not empty" in ended.err


def test_the_data_test_of_a_validity_table_sees_gaps_overlaps_and_missing_ends(project: Path) -> None:
    from fsync.dbt import run_dbt
    from fsync.errors import BuildFailed
    from fsync.spec.project import open_project

    faults = {
        "a gap": "update user_lifetime set valid_to = valid_to - interval 1 millisecond where valid_to < '9999-01-01'",
        "an early end": "update user_lifetime set valid_to = '2000-01-01' where valid_to > '9999-01-01'",
        "a row without length": "update user_lifetime set valid_to = valid_from where user_id = 42",
        "a second row": "insert into user_lifetime select * from user_lifetime where user_id = 42",
    }
    for fault in faults.values():
        shutil.copy(project / "warehouse.duckdb", project / "sound.duckdb")
        with duckdb.connect(str(project / "warehouse.duckdb")) as connection:
            connection.execute(fault)
        with pytest.raises(BuildFailed, match="fsync_validity_table_user_lifetime_user_id"):
            run_dbt(open_project(project), ["test", "--select", "user_lifetime"])
        shutil.move(project / "sound.duckdb", project / "warehouse.duckdb")
    run_dbt(open_project(project), ["test", "--select", "user_lifetime"])


def test_a_rollback_serves_the_version_before(fsync: Fsync, project: Path) -> None:
    where = ("--project-dir", project)
    assert fsync("rollback", "user_lifetime", *where).code == 2
    assert fsync("push", "--as-of", "1998-07-01", *where).code == 0
    before = fsync("get", "user_lifetime", "42", "--at", "1998-07-01", *where).out
    none = fsync("rollback", "user_lifetime", *where)
    assert (none.code, "was served before" in none.err) == (2, True)
    spec = project / "feature_specs/user_lifetime.yml"
    spec.write_text(spec.read_text().replace("(amount)", "(amount * 2)"))
    assert fsync("build", *where).code == 0
    assert fsync("push", "user_lifetime", "--as-of", "1998-07-01", *where).code == 0
    assert "76.64" in fsync("get", "user_lifetime", "42", "--at", "1998-07-01", *where).out
    back = fsync("rollback", "user_lifetime", *where)
    assert (back.code, "is served again" in back.err) == (0, True)
    assert fsync("get", "user_lifetime", "42", "--at", "1998-07-01", *where).out == before
    again = fsync("rollback", "user_lifetime", *where, "--json")
    assert json.loads(again.out).keys() == {"view", "hash", "replaces", "as_of", "horizon", "lives"}
    assert "76.64" in fsync("get", "user_lifetime", "42", "--at", "1998-07-01", *where).out


def test_a_push_under_way_is_3_and_says_who_is_at_it(fsync: Fsync, project: Path) -> None:
    from contextlib import closing

    from fsync.lease import Lease
    from fsync.store import default_url, open_store

    with closing(open_store(default_url(project))) as store, Lease(store, "fs", "user_lifetime"):
        ended = fsync("push", "user_lifetime", "--as-of", "1998-07-01", "--project-dir", project)
    assert (ended.code, "is being pushed to" in ended.err) == (3, True)


def test_a_snapshot_is_pushed_while_the_online_store_does_not_answer(fsync: Fsync, project: Path) -> None:
    """It is then that it is read."""
    snapshot = f"sqlite:///{project}/snapshot.sqlite"
    ended = fsync(
        *("push", "--as-of", "1998-07-01", "--project-dir", project),
        *("--online", "redis://localhost:1", "--snapshot", snapshot),
    )
    assert (ended.code, "Redis localhost:1 does not answer" in ended.err) == (3, True)
    read = fsync("get", "user_lifetime", "42", "--at", "1998-07-01", "--project-dir", project, "--online", snapshot)
    assert "38.32" in read.out


def test_every_store_that_does_not_answer_is_named(fsync: Fsync, project: Path) -> None:
    stores = ("--online", "redis://localhost:1", "--snapshot", "redis://localhost:2")
    ended = fsync("push", "--as-of", "1998-07-01", "--project-dir", project, *stores)
    assert ended.code == 3
    assert "Redis localhost:1 does not answer; Redis localhost:2 does not answer" in ended.err


def test_a_push_says_where_it_cannot_write(fsync: Fsync, project: Path) -> None:
    """As in a container whose file system is read-only."""
    (project / ".fsync").write_text("in the way")
    ended = fsync("push", "--as-of", "1998-07-01", "--project-dir", project)
    assert (ended.code, "nothing can be written there" in ended.err, "volume" in ended.err) == (2, True, True)


def test_a_program_that_gives_one_url_is_told(project: Path) -> None:
    for wrong in ("sqlite:///online.sqlite", ()):
        with pytest.raises(InputError, match="in a list"):
            next(push_project(open_project(project), wrong))


def test_a_snapshot_answers_when_the_online_store_does_not(fsync: Fsync, project: Path) -> None:
    snapshot = f"sqlite:///{project}/snapshot.sqlite"
    pushed = fsync("push", "--as-of", "1998-07-01", "--snapshot", snapshot, "--project-dir", project, "--json")
    assert len(pushed.out.splitlines()) == 6, "two views and a service into two stores"
    ended = fsync(
        *("get", "user_lifetime", "42", "--at", "1998-07-01", "--project-dir", project),
        *("--online", "redis://localhost:1", "--snapshot", snapshot),
    )
    assert (ended.code, "from the snapshot" in ended.err, "38.32" in ended.out) == (0, True, True)


@pytest.mark.parametrize(
    "broken", ["name: !!bool x\n", "name: shop\nversion: 2024-02-30\n", "name: !!timestamp x\n", "- x: ["]
)
@pytest.mark.parametrize("file", ["dbt_project.yml", "profiles.yml"])
def test_yaml_that_cannot_be_read_is_2(fsync: Fsync, project: Path, file: str, broken: str) -> None:
    (project / file).write_text(broken)
    ended = fsync("build", "--project-dir", project)
    assert (ended.code, ended.out, "Traceback" in ended.err) == (2, "", False)
    assert file in ended.err


def test_a_key_constraint_of_a_strange_type_is_none(fsync: Fsync, project: Path) -> None:
    staging = project / "models/staging/_staging.yml"
    staging.write_text(staging.read_text().replace("data_tests: [unique, not_null]", "constraints: [{type: [unique]}]"))
    ended = fsync("check", "--project-dir", project)
    assert (ended.code, "Traceback" in ended.err) == (2, False)
    assert "error[missing-unique-key]" in ended.out
