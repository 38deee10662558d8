"""`fsync plan`: what a build and a push would change, held against what they then do change."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.conftest import Ended

Fsync = Callable[..., Ended]

WINDOWS, LIFETIME = "user_id__orders_stream", "user_lifetime"


@pytest.fixture
def project(warehouse: Path, tmp_path: Path, fsync: Fsync) -> Path:
    """The reference with 2,000 customers, built, pushed, and committed."""
    root = Path(shutil.copytree(warehouse, tmp_path / "my project"))
    assert fsync("push", "--as-of", "1998-07-01", "--project-dir", root).code == 0
    return root


def _edit(root: Path, *edits: tuple[str, str], spec: str = "user_spend.yml") -> None:
    path = root / "feature_specs" / spec
    text = path.read_text()
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)


def _plan(fsync: Fsync, root: Path, *more: str) -> dict[str, Any]:
    ended = fsync("plan", "--json", "--project-dir", root, *more)
    assert ended.code == 0, ended.err
    found: dict[str, Any] = json.loads(ended.out)
    return found


def _kinds(report: dict[str, Any]) -> dict[str, str]:
    return {found["feature"]: found["change"] for found in report["features"]}


def test_nothing_changes_when_nothing_has_changed(fsync: Fsync, project: Path) -> None:
    report = _plan(fsync, project)
    assert (report["features"], report["views"], report["services"]) == ([], [], [])
    assert fsync("plan", "--exit-code", "--project-dir", project).code == 0


def test_each_kind_of_change_and_whom_it_hits(fsync: Fsync, project: Path) -> None:
    _edit(
        project,
        ("window_sum(amount, 30d)", "window_sum(amount, 28d)"),  # and what is derived from it
        ("name: user_365d_min_order", "name: user_365d_least_order"),
        ("window_max(amount, 365d)", '"WINDOW_MAX( amount, 365d )"'),
    )
    _edit(project, ("owner: crm", "owner: growth-ml"), spec="user_lifetime.yml")
    report = _plan(fsync, project)
    assert _kinds(report) == {
        "user_30d_spend": "changed",
        "user_30d_avg_spend": "changed",
        "user_365d_least_order": "added",
        "user_365d_min_order": "removed",
        "user_365d_max_order": "cosmetic",
        "user_lifetime_spend": "cosmetic",
        "user_last_order_quantity": "cosmetic",
    }
    said = {found["feature"]: found["differences"] for found in report["features"]}
    assert said["user_30d_spend"] == [
        {"what": "transformation", "before": "window_sum(amount, 30d)", "after": "window_sum(amount, 28d)"}
    ]
    assert said["user_lifetime_spend"] == [{"what": "owner", "before": "crm", "after": "growth-ml"}]
    assert (report["services"], report["owners"]) == (["churn_model"], ["growth-ml"])
    (view,) = report["views"]  # what is cosmetic builds nothing
    assert (view["view"], view["before"]) == (WINDOWS, view["served"])
    assert fsync("plan", "--exit-code", "--sample", "0", "--project-dir", project).code == 1


def test_a_cosmetic_change_is_no_failure_for_ci(fsync: Fsync, project: Path) -> None:
    _edit(project, ("in the last week", "in a week"))
    assert _kinds(_plan(fsync, project)) == {"user_7d_spend": "cosmetic"}
    assert fsync("plan", "--exit-code", "--project-dir", project).code == 0


def test_what_is_foreseen_is_what_comes(fsync: Fsync, project: Path, tmp_path: Path) -> None:
    """Of all entities: the share of values that differ, and the rows to build, are those of the real build."""
    _edit(
        project,
        ("window_sum(amount, 30d)", "window_sum(amount, 28d)"),
        ("window_avg(amount, 90d)", "window_avg(amount, 60d)"),
        ("default: 0", "default: 1"),
    )
    report = _plan(fsync, project, "--sample", "1000000")
    (view,) = report["views"]
    old = tmp_path / "old.duckdb"
    shutil.copy(project / "warehouse.duckdb", old)
    assert fsync("build", "--project-dir", project).code == 0
    names = ["user_30d_spend", "user_30d_avg_spend", "user_90d_avg_order_value", "user_365d_max_order"]
    with duckdb.connect(str(project / "warehouse.duckdb"), read_only=True) as connection:
        connection.execute(f"attach '{old}' as old (read_only)")
        # by the definition: as of t, the row with valid_from < t <= valid_to holds
        differ = ", ".join(
            f"avg(cast(round(was.{name}, 6) is distinct from round(now.{name}, 6) as int))" for name in names
        )
        shares = connection.execute(
            f"select {differ} from old.{WINDOWS} was left join {WINDOWS} now on was.user_id = now.user_id "
            "and now.valid_from < was.valid_from + interval 1 millisecond "
            "and was.valid_from + interval 1 millisecond <= now.valid_to"
        ).fetchone()
        rows = connection.execute(f"select count(*) from {WINDOWS}").fetchone()
    assert shares is not None
    assert view["shares"] == pytest.approx(dict(zip(names, shares, strict=True)), abs=1e-12)
    assert all(share > 0 for share in shares)
    assert (view["rows"],) == rows
    assert view["entities"] == 2_000
    assert 0 < view["seconds"] < 60


def test_a_sample_is_the_same_each_time(fsync: Fsync, project: Path) -> None:
    _edit(project, ("window_sum(amount, 30d)", "window_sum(amount, 28d)"))
    first, second = (_plan(fsync, project, "--sample", "50")["views"] for _ in range(2))
    assert first == second
    assert first[0]["entities"] == 50


def test_a_feature_of_another_kind_is_not_compared(fsync: Fsync, project: Path) -> None:
    _edit(project, ("latest(quantity)", "latest(cast(quantity as varchar))"), spec="user_lifetime.yml")
    report = _plan(fsync, project)
    assert _kinds(report) == {"user_last_order_quantity": "changed"}
    assert report["views"][0]["shares"] == {}
    assert "data_type" in {one["what"] for one in report["features"][0]["differences"]}


def test_a_column_that_is_not_built_yet_is_told(fsync: Fsync, project: Path) -> None:
    staging = project / "models/staging/_staging.yml"
    staging.write_text(staging.read_text().rstrip("\n") + "\n      - {name: discount, data_type: bigint}\n")
    _edit(project, ("window_sum(amount, 7d)", "window_sum(discount, 7d)"))
    ended = fsync("plan", "--project-dir", project)
    assert ended.code == 0
    assert f"{WINDOWS} could not be sampled" in ended.out
    assert "discount" in ended.out


def test_without_a_warehouse_the_store_is_compared_with(fsync: Fsync, project: Path) -> None:
    (project / "warehouse.duckdb").unlink()
    _edit(project, ("window_sum(amount, 30d)", "window_sum(amount, 28d)"))
    ended = fsync("plan", "--project-dir", project)
    assert ended.out.startswith("Against what sqlite:///")
    assert "not looked at: there is no warehouse" in ended.err
    report = _plan(fsync, project)
    assert _kinds(report) == {"user_30d_spend": "changed", "user_30d_avg_spend": "changed"}
    assert report["views"][0]["rows"] is None


def test_before_anything_is_deployed_everything_is_added(fsync: Fsync, project: Path) -> None:
    for file in ("warehouse.duckdb", "online.sqlite"):
        (project / file).unlink()
    report = _plan(fsync, project)
    assert set(_kinds(report).values()) == {"added"}
    assert len(report["features"]) == 10
    assert {view["view"] for view in report["views"]} == {WINDOWS, LIFETIME}


def test_what_is_built_but_not_pushed_is_told(fsync: Fsync, project: Path) -> None:
    (project / "online.sqlite").unlink()
    _edit(project, ("lifetime_sum(amount)", "lifetime_max(amount)"), spec="user_lifetime.yml")
    assert fsync("push", "--as-of", "1998-07-01", WINDOWS, "--project-dir", project).code == 0
    assert fsync("build", "--project-dir", project).code == 0
    ended = fsync("plan", "--project-dir", project)
    assert "no feature changes" in ended.out


def test_against_a_commit(fsync: Fsync, project: Path) -> None:
    git = ["git", "-C", str(project), "-c", "user.name=me", "-c", "user.email=me@example.com"]
    for command in (["init", "-q"], ["add", "feature_specs", "models", "dbt_project.yml"], ["commit", "-qm", "begin"]):
        subprocess.run([*git, *command], check=True)
    _edit(project, ("window_sum(amount, 7d)", "window_sum(amount, 5d)"))
    report = _plan(fsync, project, "--ref", "HEAD")
    assert (report["against"], _kinds(report)) == ("HEAD", {"user_7d_spend": "changed"})
    (view,) = report["views"]
    assert view["shares"].keys() == {"user_7d_spend"}
    # once it is built, the table is no longer what the commit says, and nothing is left to build
    assert fsync("build", "--project-dir", project).code == 0
    (view,) = _plan(fsync, project, "--ref", "HEAD")["views"]
    assert (view["shares"], view["rows"], view["built"]) == ({}, None, view["after"])
    for wrong in ("nothing", "--upload-pack=x"):
        ended = fsync("plan", "--ref", wrong, "--project-dir", project)
        assert (ended.code, ended.out) == (2, "")
        assert f"git cannot give {wrong!r}" in ended.err


def test_outside_a_repository_there_is_no_commit(fsync: Fsync, project: Path) -> None:
    ended = fsync("plan", "--ref", "main", "--project-dir", project)
    assert ended.code == 2
    assert "Traceback" not in ended.err


def test_markdown_for_a_pull_request(fsync: Fsync, project: Path) -> None:
    _edit(project, ("window_sum(amount, 30d)", "window_sum(amount, 28d)"), ("amount >= 50", "amount >= 50 or false"))
    ended = fsync("plan", "--format", "markdown", "--project-dir", project)
    lines = ended.out.splitlines()
    assert "| change | feature | view | version | values that differ | what |" in lines
    (row,) = (line for line in lines if "| user_30d_spend |" in line)
    assert "window_sum(amount, 30d) → window_sum(amount, 28d)" in row
    assert "Services that read them: churn_model." in lines
