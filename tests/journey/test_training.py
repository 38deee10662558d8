"""`fsync train` and `fsync explain` as a person meets them, and the macro in dbt models."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import fsync as library
from fsync.compile import plan_project
from fsync.dbt import run_dbt
from fsync.errors import BuildFailed, InputError
from fsync.macro import point_in_time
from fsync.spec.project import open_project
from fsync.sql.features import known_features
from fsync.training import training_set
from fsync.warehouse.duckdb import Warehouse
from fsync.warehouse.profile import read_profile
from tests.conftest import Ended

Fsync = Callable[..., Ended]

LABELS = """\
label_id,user_id,label_at
1,42,1997-01-02
2,42,1997-02-15
3,,1997-02-15
4,42,
5,999999,1997-02-15
6,42,1996-12-31
"""
#: worked out by hand from the orders of customer 42: 26.55 on the 1st of January 1997, 11.77 on the 2nd
SPEND = {1: "26.55", 2: "0.00", 3: "0.00", 4: None, 5: "0.00", 6: "0.00"}
LIFETIME = {1: "26.55", 2: "38.32", 3: "0.00", 4: None, 5: "0.00", 6: "0.00"}


@pytest.fixture
def project(warehouse: Path, tmp_path: Path) -> Path:
    """A built project that a test may spoil."""
    return Path(shutil.copytree(warehouse, tmp_path / "my project"))


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "some labels.csv"
    path.write_text(LABELS)
    return path


def values(path: Path, column: str) -> dict[int, str | None]:
    table = pq.read_table(path)
    return {row["label_id"]: None if row[column] is None else str(row[column]) for row in table.to_pylist()}


# ---------------------------------------------------------------- fsync train


def test_labels_from_everywhere_give_the_same(fsync: Fsync, warehouse: Path, labels: Path, tmp_path: Path) -> None:
    parquet, zipped = tmp_path / "labels.parquet", tmp_path / "labels.csv.gz"
    zipped.write_bytes(gzip.compress(LABELS.encode()))
    with duckdb.connect() as connection:
        connection.execute(f"copy (from read_csv('{labels}')) to '{parquet}'")
    for number, given in enumerate((labels, parquet, zipped, f"select * from read_csv('{labels}') where label_id > 0")):
        out = tmp_path / "new folder" / f"{number}.parquet"
        ended = fsync(
            *("train", "--project-dir", warehouse, "--labels", given, "--timestamp", "label_at", "--out", out),
            *("--features", "user_lifetime_spend, user_30d_spend"),
        )
        assert (ended.code, ended.out) == (0, ""), ended.err
        assert pq.read_schema(out).names == [
            *("label_id", "user_id", "label_at", "user_lifetime_spend", "user_30d_spend")
        ]
        assert values(out, "user_30d_spend") == SPEND
        assert values(out, "user_lifetime_spend") == LIFETIME
    assert not list((tmp_path / "new folder").glob(".*")), "nothing half-way is left"


def test_a_service_and_its_summary(fsync: Fsync, warehouse: Path, labels: Path, tmp_path: Path) -> None:
    arguments = ["train", "--project-dir", warehouse, "--labels", labels, "--timestamp", "label_at"]
    arguments += ["--service", "churn_model", "--out", tmp_path / "t.parquet"]
    ended = fsync(*arguments)
    assert ended.code == 0
    for line in ("1 label without a time", "1 label before any history of user_lifetime", "6 rows to", "66.7%"):
        assert line in ended.err
    (told,) = fsync(*arguments, "--json").out.splitlines()
    report = json.loads(told)
    assert (report["rows"], report["without_time"], report["first_label"]) == (6, 1, "1996-12-31T00:00:00Z")
    assert [feature["name"] for feature in report["features"]] == list(pq.read_schema(tmp_path / "t.parquet").names[3:])
    assert report["features"][1] == {"name": "user_30d_spend", "view": "user_id__orders_stream", "empty": 4}
    assert report["views"][1]["before_history"] == 1


def test_inclusive_counts_the_event_itself(fsync: Fsync, warehouse: Path, tmp_path: Path) -> None:
    out = tmp_path / "t.parquet"
    query = "select 1 as label_id, 42 as buyer, date '1997-01-01' as label_at"
    arguments = ["train", "--project-dir", warehouse, "--labels", query, "--timestamp", "label_at", "--out", out]
    arguments += ["--features", "user_30d_spend", "--key", "user_id=buyer"]
    assert fsync(*arguments).code == 0
    assert values(out, "user_30d_spend") == {1: "0.00"}
    assert fsync(*arguments, "--inclusive").code == 0
    assert values(out, "user_30d_spend") == {1: "26.55"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--labels", "nope.csv"], "there is no file nope.csv"),
        (["--labels", "nope"], "Table with name nope does not exist"),
        (["--labels", "select * frm orders_stream"], "the labels"),
        (["--labels", "select 1; select 2"], "is no file, relation or query"),
        (["--labels", "drop table orders_stream"], "is no file, relation or query"),
        (["--timestamp", "ordered"], "the labels have no column 'ordered' (did you mean 'ordered_at'?)"),
        (["--timestamp", "quantity"], "the labels' quantity is no time but BIGINT"),
        (["--features", "user_30d_spnd"], "there is no feature 'user_30d_spnd'"),
        (["--features", "user_30d_spend,user_30d_spend"], "is asked for twice"),
        (["--features", ""], "there is no feature ''"),
        (["--service", "churn_model"], "either features or a service"),
        (["--key", "user_lifetime=user_id"], "keys name 'user_lifetime', which is no view and no entity column"),
        (["--key", "user_id__orders_stream=user_id"], "write user_id__orders_stream.COLUMN=LABELS_COLUMN"),
        (["--key", "user_id__orders_stream.usr=user_id"], "'usr', which is no entity column of user_id__orders_stream"),
        (["--key", "nope.user_id=user_id"], "keys name 'nope', which is no view of these features"),
        (["--labels", "query"], "Table with name query does not exist"),
        (["--labels", "select true as user_id, ordered_at from orders_stream"], "the labels' user_id is BOOLEAN"),
        (["--labels", "select 1.5 as user_id, ordered_at from orders_stream"], "the labels' user_id is DECIMAL(2,1)"),
        (["--labels", "select *, 1 as fsync_row from orders_stream"], "'fsync_row': that name is ours"),
        (["--key", "user_id=customer"], "the labels have no column 'customer'"),
        (["--key", "customer=user_id"], "keys name 'customer', which is no view and no entity column"),
        (["--key", "user_id"], "--key user_id: write COLUMN=LABELS_COLUMN"),
        (["--labels", "select *, 1 as user_30d_spend from orders_stream"], "already, which is the name of a feature"),
        (["--labels", "select 'x' as user_id, ordered_at from orders_stream"], "the labels' user_id is VARCHAR"),
        (["--labels", "select 1 as user_id, 'noon' as ordered_at"], "noon"),
        (["--memory-limit", "many"], "Memory must have a number"),
    ],
)
def test_what_does_not_fit_is_2(arguments: list[str], said: str, fsync: Fsync, warehouse: Path, tmp_path: Path) -> None:
    given = {"--labels": "orders_stream", "--timestamp": "ordered_at", "--features": "user_30d_spend"}
    given |= dict(zip(arguments[::2], arguments[1::2], strict=True))
    options = [part for pair in given.items() for part in pair]
    out = tmp_path / "t.parquet"
    out.write_text("what was there")
    ended = fsync("train", "--project-dir", warehouse, "--out", out, *options)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert out.read_text() == "what was there"
    assert [path.name for path in tmp_path.iterdir()] == ["t.parquet"]


def test_too_little_memory_is_3(fsync: Fsync, warehouse: Path, tmp_path: Path) -> None:
    arguments = ["--labels", "orders_stream", "--timestamp", "ordered_at", "--features", "user_30d_spend"]
    arguments += ["--memory-limit", "1KB", "--out", str(tmp_path / "t.parquet")]
    ended = fsync("train", "--project-dir", warehouse, *arguments)
    assert (ended.code, "Out of Memory" in ended.err, "Traceback" in ended.err) == (3, True, False)


def test_all_that_does_not_fit_is_told_at_once(warehouse: Path) -> None:
    with pytest.raises(InputError) as raised:
        library.train(
            "orders_stream",
            timestamp="a",
            features=["user_30d_spend"],
            keys={"b": "c", "user_id": "d"},
            project_dir=warehouse,
        )
    assert len(str(raised.value).splitlines()) == 3


def test_without_a_file_or_with_a_dry_run(fsync: Fsync, warehouse: Path) -> None:
    arguments = ["train", "--project-dir", warehouse, "--labels", "orders_stream", "--timestamp", "ordered_at"]
    arguments += ["--features", "user_30d_spend"]
    assert fsync(*arguments).code == 2
    ended = fsync(*arguments, "--dry-run")
    assert ended.code == 0
    with duckdb.connect(str(warehouse / "warehouse.duckdb"), read_only=True) as connection:
        rows = connection.execute(f"select count(*) from ({ended.out})").fetchone()
        assert rows == connection.execute("select count(*) from orders_stream").fetchone()


def test_what_is_not_built_is_said(fsync: Fsync, project: Path, tmp_path: Path) -> None:
    (project / "warehouse.duckdb").unlink()
    ended = fsync(
        *("train", "--project-dir", project, "--labels", "orders_stream", "--timestamp", "ordered_at"),
        *("--features", "user_30d_spend", "--out", tmp_path / "t.parquet"),
    )
    assert ended.code == 2
    assert "fsync build" in ended.err


@pytest.mark.parametrize(
    ("at", "spend"),
    [
        ("'1997-01-02T05:00:00+05:00'", "26.55"),
        ("'1997-01-01T22:00:00-05:00'", "38.32"),
        ("timestamptz '1997-01-02 05:00:00+05'", "26.55"),
        ("timestamp_ns '1997-01-02 00:00:00.000999999'", "26.55"),
        ("timestamp_ns '1997-01-02 00:00:00.001000001'", "38.32"),
        ("timestamp '1997-01-02 00:00:00.000999'", "26.55"),
        ("date '1997-01-03'", "38.32"),
        ("timestamp_s '1997-01-02 00:00:01'", "38.32"),
        ("timestamp 'infinity'", None),
        ("null", None),
    ],
)
def test_times_of_labels_are_utc_and_cut(at: str, spend: str | None, warehouse: Path) -> None:
    """The second purchase is at 1997-01-02 00:00:00, for 11.77 dollars."""
    query = f"select 42 as user_id, {at} as at"
    found = library.train(query, timestamp="at", features=["user_30d_spend"], project_dir=warehouse)
    (value,) = found["user_30d_spend"].to_pylist()
    assert (None if value is None else str(value)) == spend


def test_what_is_there_is_not_overwritten_by_mistake(fsync: Fsync, project: Path, tmp_path: Path) -> None:
    labels = tmp_path / "labels.parquet"
    pq.write_table(pa.table({"user_id": [42], "at": ["1997-01-02"]}), labels)
    before = labels.read_bytes()
    folder = tmp_path / "folder.parquet"
    folder.mkdir()
    for out, said in (
        (project / "warehouse.duckdb", "does not end in .parquet"),
        (labels, "would take the place of the labels"),
        (labels / "t.parquet", "cannot be written"),
        (tmp_path / ("x" * 250 + ".parquet"), "cannot be written"),
        (folder, "cannot be written"),
        ("", "does not end in .parquet"),
    ):
        arguments = ["--labels", labels, "--timestamp", "at", "--features", "user_30d_spend", "--out", out]
        ended = fsync("train", "--project-dir", project, *arguments)
        assert (ended.code, ended.out) == (2, ""), ended.err
        assert said in ended.err
    assert labels.read_bytes() == before
    assert not list(tmp_path.glob(".*"))


def test_queries_as_people_write_them(fsync: Fsync, warehouse: Path, tmp_path: Path) -> None:
    query = "/* mine */ select user_id, ordered_at -- all\n from orders_stream; -- done"
    arguments = ["--timestamp", "ordered_at", "--features", "user_30d_spend", "--out", tmp_path / "t.parquet"]
    assert fsync("train", "--project-dir", warehouse, "--labels", query, *arguments).code == 0


def test_the_summary_is_of_the_question(fsync: Fsync, warehouse: Path, tmp_path: Path) -> None:
    first = "select 42 as user_id, timestamp '1997-01-01' as at union all select 42, null"
    arguments = [
        "--labels",
        first,
        "--timestamp",
        "at",
        "--features",
        "user_30d_spend",
        "--out",
        tmp_path / "t.parquet",
    ]
    assert "1 label before any history" in fsync("train", "--project-dir", warehouse, *arguments).err
    assert "before any history" not in fsync("train", "--project-dir", warehouse, *arguments, "--inclusive").err


def test_tables_of_this_process_keep_their_order(warehouse: Path) -> None:
    numbers = list(range(5_000, 0, -1))
    given = pa.table(
        {"label_id": numbers, "user_id": [1 + number % 1_999 for number in numbers], "at": ["1997-06-01"] * 5_000}
    )
    found = library.train(given, timestamp="at", service="churn_model", project_dir=warehouse)
    assert found["label_id"].to_pylist() == numbers
    again = library.train(given.to_reader(), timestamp="at", service="churn_model", project_dir=warehouse)
    assert again == found
    with pytest.raises(InputError, match="is no table"):
        library.train(7, timestamp="at", service="churn_model", project_dir=warehouse)


# ---------------------------------------------------------------- the macro


MODEL = """\
{{ config(materialized='table') }}
select *
from (
    {{ fsync.point_in_time(labels=ref('churn_labels'), service='churn_model', timestamp='label_at') }}
)
"""


def test_a_model_with_the_macro_is_the_query_of_the_command(project: Path) -> None:
    (project / "models/by_macro.sql").write_text(MODEL)
    run_dbt(open_project(project), ["run", "--select", "churn_labels", "by_macro"])
    plan = plan_project(open_project(project))
    with Warehouse(read_profile(open_project(project))) as warehouse:
        asked = training_set(warehouse, plan, "main.churn_labels", "label_at", service="churn_model")
        features = [member.planned.name for member in plan.service("churn_model").members]
        names = ('"warehouse"."main"."churn_labels"', "label_at", features, known_features(plan))
        query = point_in_time(*names, lambda view: f'"warehouse"."main"."{view}"')
        rendered = (project / "target/compiled/fsync/models/by_macro.sql").read_text()
        assert "".join(query.split()) in "".join(rendered.split())
        difference = f"(from by_macro except all ({asked.query})) union all (({asked.query}) except all from by_macro)"
        assert warehouse.row(f"select count(*) from ({difference})") == (0,)
        assert warehouse.row("select count(*) from by_macro") == warehouse.row("select count(*) from churn_labels")
    manifest = json.loads((project / "target/manifest.json").read_text())
    exposure = manifest["exposures"]["exposure.fsync.churn_model"]
    assert exposure["type"] == "ml"
    assert set(exposure["depends_on"]["nodes"]) == {
        "model.fsync.user_id__orders_stream",
        "model.fsync.user_lifetime",
    }
    parents = set(manifest["parent_map"]["model.fsync.by_macro"])
    assert parents == {"model.fsync.churn_labels", "model.fsync.user_id__orders_stream", "model.fsync.user_lifetime"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("features=['user_30d_spnd']", "there is no feature 'user_30d_spnd'"),
        ("service='nope'", "there is no service 'nope' (there are: churn_model)"),
        ("", "either features or a service"),
        ("features=['user_30d_spend', 'user_30d_spend']", "is asked for twice"),
    ],
)
def test_a_wrong_call_of_the_macro_is_told(arguments: str, said: str, project: Path) -> None:
    call = f"fsync.point_in_time(labels='x', timestamp='y'{', ' if arguments else ''}{arguments})"
    (project / "models/by_macro.sql").write_text("{{ " + call + " }}")
    with pytest.raises((InputError, BuildFailed), match=said.replace("(", r"\(").replace(")", r"\)")):
        run_dbt(open_project(project), ["compile", "--select", "by_macro"])


# ---------------------------------------------------------------- fsync explain


@contextmanager
def pushed(fsync: Fsync, project: Path, *options: str) -> Iterator[list[str]]:
    """Push, and yield the arguments of what is explained."""
    assert fsync("push", "--project-dir", project, *options).code == 0
    yield ["--project-dir", str(project)]


def test_two_sides_that_agree(fsync: Fsync, project: Path) -> None:
    with pushed(fsync, project, "--as-of", "1997-02-01") as where:
        ended = fsync("explain", "user_30d_spend", "42", "--at", "1997-02-01", *where)
    assert ended.code == 0
    assert "offline  11.77  holds after 1997-01-31T00:00:00Z, until 1997-02-01T00:00:00Z" in ended.out
    assert "online   11.77  ok" in ended.out
    assert "1 event behind it, from 1997-01-02T00:00:00Z until before 1997-02-01T00:00:00Z" in ended.err
    assert "online is offline" in ended.err
    assert "11.77" in ended.out.splitlines()[-1]


def test_json_and_derived_and_conditions(fsync: Fsync, project: Path) -> None:
    with pushed(fsync, project, "--as-of", "1997-02-01") as where:
        ended = fsync("explain", "user_30d_avg_spend", "42", "--at", "1997-01-31", "--json", *where)
        found = json.loads(ended.out)
        assert found["made_of"] == ["user_30d_purchase_count", "user_30d_spend"]
        assert found["behind"]["count"] == 2
        assert found["behind"]["since"] == "1997-01-01T00:00:00Z"
        ended = fsync(
            "explain", "user_90d_avg_order_value", "42", "--at", "1997-02-01", "--sample", "1", "--json", *where
        )
        behind = json.loads(ended.out)["behind"]
        assert (behind["count"], len(behind["rows"])) == (2, 1)
        assert behind["rows"][0][behind["columns"].index("amount")] == "11.77"


def test_why_two_sides_differ(fsync: Fsync, project: Path) -> None:
    ended = fsync("explain", "user_30d_spend", "42", "--project-dir", project)
    assert ended.code == 1
    assert "the view was not pushed to this store" in ended.out
    with pushed(fsync, project, "--as-of", "1997-01-10") as where:
        ended = fsync("explain", "user_30d_spend", "42", "--at", "1997-02-05", *where)
        assert ended.code == 1
        assert "the last push knows the changes until 1997-01-12T00:00:00Z" in ended.err
        ended = fsync("explain", "user_30d_spend", "42", "--at", "1997-01-09", *where)
        assert "the store answers for the time from 1997-01-10T00:00:00Z on" in ended.out
        with duckdb.connect(str(project / "warehouse.duckdb")) as connection:
            connection.execute("update user_id__orders_stream set user_30d_spend = 1 where user_id = 42")
        ended = fsync("explain", "user_30d_spend", "42", "--at", "1997-01-11", *where)
        assert ended.code == 1
        assert "nothing that is known explains it" in ended.err, "it is the build that was pushed"
        assert fsync("build", "--project-dir", project).code == 0
        with duckdb.connect(str(project / "warehouse.duckdb")) as connection:
            connection.execute("update user_id__orders_stream set user_30d_spend = 1 where user_id = 42")
        ended = fsync("explain", "user_30d_spend", "42", "--at", "1997-01-11", *where)
        assert "the push was of the build of " in ended.err
        assert "what has changed in between is not online before the next `fsync push`" in ended.err
    spec = project / "feature_specs/user_spend.yml"
    spec.write_text(spec.read_text().replace("window_sum(amount, 30d)", "window_sum(amount, 31d)"))
    ended = fsync("explain", "user_30d_spend", "42", "--at", "1997-01-11", *where)
    assert "was built from another version of its specs" in ended.out


def test_what_else_decides_a_value_is_shown(fsync: Fsync, project: Path) -> None:
    ended = fsync("explain", "user_180d_large_order_count", "42", "--at", "1997-02-01", "--project-dir", project)
    assert "window_count(180d), where " in ended.err
    assert "0 events behind it" in ended.err
    ended = fsync("explain", "user_365d_max_order", "42", "--at", "0001-01-20", "--json", "--project-dir", project)
    assert json.loads(ended.out)["conditions"] == ["default 0"]
    assert json.loads(ended.out)["behind"]["since"] == "0001-01-01T00:00:00Z"
    with duckdb.connect(str(project / "warehouse.duckdb")) as connection:
        connection.execute("drop table orders_stream")
    ended = fsync("explain", "user_30d_spend", "42", "--at", "1997-02-01", "--project-dir", project)
    assert "offline  11.77" in ended.out
    assert "the events behind it cannot be shown" in ended.err


def test_what_cannot_be_explained(fsync: Fsync, project: Path) -> None:
    for arguments, said in (
        (["user_30d_spnd", "42"], "did you mean 'user_30d_spend'?"),
        (["user_30d_spend", "Ann"], "'Ann' is not a value of the entity column user_id"),
        (["user_30d_spend", "42", "--at", "noon"], "is not a time"),
    ):
        ended = fsync("explain", *arguments, "--project-dir", project)
        assert ended.code == 2
        assert said in ended.err
    (project / "warehouse.duckdb").unlink()
    ended = fsync("explain", "user_30d_spend", "42", "--project-dir", project)
    assert ended.code == 1
    assert "there is no warehouse yet" in ended.out


# ---------------------------------------------------------------- services online


def test_a_service_is_pushed_with_its_views_and_read(fsync: Fsync, project: Path) -> None:
    arguments = ["--project-dir", str(project), "--as-of", "1997-02-01"]
    assert "service churn_model: would write its definition" in fsync("push", "--dry-run", *arguments).err
    assert "service churn_model: wrote its definition" in fsync("push", *arguments).err
    assert "service churn_model: unchanged" in fsync("push", "user_lifetime", *arguments).err
    ended = fsync("get", "--service", "churn_model", "42", "--at", "1997-02-01", "--project-dir", project)
    assert ended.code == 0
    assert [line.split() for line in ended.out.splitlines()[1:]] == [
        ["user_30d_purchase_count", "1", "ok"],
        ["user_30d_spend", "11.77", "ok"],
        ["user_90d_avg_order_value", "19.16", "ok"],
        ["user_lifetime_spend", "38.32", "ok"],
        ["user_last_order_quantity", "1", "ok"],
    ]
    again = fsync("get", "--service", "churn_model", "user_id=42", "--at", "1997-02-01", "--project-dir", project)
    assert again.out == ended.out
    assert fsync("get", "--service", "churn_mdel", "42", "--project-dir", project).code == 2
    assert fsync("get", "--service", "churn_model", "--project-dir", project).code == 2
    named = fsync("get", "--service", "churn_model", " user_id=4=2", "--project-dir", project)
    assert (named.code, "'4=2' is not a value of the entity column user_id" in named.err) == (2, True)


def test_a_service_waits_for_its_views(fsync: Fsync, project: Path) -> None:
    arguments = ["--project-dir", str(project), "--as-of", "1997-02-01"]
    pushed = fsync("push", "user_lifetime", *arguments)
    assert "service churn_model: waits for user_id__orders_stream to be pushed" in pushed.err
    assert fsync("get", "--service", "churn_model", "42", "--project-dir", project).code == 2
    assert "service churn_model: wrote its definition" in fsync("push", "user_id__orders_stream", *arguments).err
    spec = project / "feature_specs/user_spend.yml"
    spec.write_text(spec.read_text().replace("window_sum(amount, 30d)", "window_sum(amount, 31d)"))
    told = fsync("push", "user_lifetime", "--json", *arguments).out.splitlines()[-1]
    assert json.loads(told)["waits_for"] == ["user_id__orders_stream"]
