"""The registry's tables, as dbt builds them: they say what the specs say, and keep the history of builds."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import astuple, fields
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from fsync.compile import plan_project
from fsync.registry.records import FeatureRecord, feature_records
from fsync.spec.project import open_project
from tests.conftest import Ended, copy_reference

Fsync = Callable[..., Ended]


def _rows(root: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(root / "warehouse.duckdb"), read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_every_feature_is_a_row_that_says_what_its_spec_says(warehouse: Path) -> None:
    names = ", ".join(f"cast({field.name} as varchar)" for field in fields(FeatureRecord))
    built = _rows(warehouse, f"select {names} from fsync_registry_features order by view_name, feature")
    records = feature_records(plan_project(open_project(warehouse)))
    assert built == [astuple(record) for record in records]
    # by hand, from feature_specs/
    (row,) = (record for record in records if record.feature == "user_90d_avg_order_value")
    assert (row.condition, row.owner, row.freshness, row.backfill_from) == (
        "amount > 0",
        "growth-ml",
        "1h",
        "1997-04-01",
    )


def test_views_services_and_owners(warehouse: Path) -> None:
    assert _rows(warehouse, "select view_name, features, owners from fsync_registry_views order by all") == [
        ("user_id__orders_stream", 8, "growth-ml"),
        ("user_lifetime", 2, "crm"),
    ]
    assert _rows(warehouse, "select service, feature from fsync_registry_services order by position") == [
        ("churn_model", "user_30d_purchase_count"),
        ("churn_model", "user_30d_spend"),
        ("churn_model", "user_90d_avg_order_value"),
        ("churn_model", "user_lifetime_spend"),
        ("churn_model", "user_last_order_quantity"),
    ]
    assert _rows(warehouse, "select * from fsync_registry_owners order by owner") == [
        ("crm", 2, 1, 0),
        ("growth-ml", 8, 1, 1),
    ]


def test_lineage_goes_from_services_down_to_sources(warehouse: Path) -> None:
    edges = set(_rows(warehouse, "select kind, name, made_of_kind, made_of, is_shown from fsync_registry_lineage"))
    assert {
        ("service", "churn_model", "feature", "user_30d_spend", True),
        ("feature", "user_30d_avg_spend", "feature", "user_30d_spend", True),
        ("feature", "user_30d_spend", "column", "orders_stream.amount", True),
        ("feature", "user_180d_large_order_count", "column", "orders_stream.amount", False),
        ("model", "user_lifetime", "model", "orders_stream", True),
        ("model", "orders_stream", "source", "cdnow.orders", True),
    } <= edges


@pytest.fixture
def history(tmp_path: Path, fsync: Fsync, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that was built by one commit, changed, built by a second, and built again with --full-refresh."""
    root = copy_reference(tmp_path / "a project")
    spec = root / "feature_specs/user_lifetime.yml"
    monkeypatch.setenv("FSYNC_COMMIT", "aaa")
    assert fsync("build", "--project-dir", root).code == 0
    spec.write_text(spec.read_text().replace("lifetime_sum(amount)", "lifetime_max(amount)"))
    monkeypatch.setenv("FSYNC_COMMIT", "bbb")
    assert fsync("build", "--project-dir", root).code == 0
    assert fsync("build", "--full-refresh", "--project-dir", root).code == 0
    return root


def test_the_history_is_of_builds_and_outlives_a_full_refresh(history: Path) -> None:
    builds = _rows(
        history,
        "select view_name, commit_sha, is_incremental, events, rows_built, seconds > 0, newest_event_at "
        "from fsync_registry_builds order by view_name, built_at",
    )
    newest = datetime(1998, 6, 30)
    many, few = ("user_id__orders_stream", 395_079), ("user_lifetime", 67_591)
    assert builds == [
        (many[0], "aaa", False, 69_659, many[1], True, newest),
        (many[0], "bbb", True, 69_659, many[1], True, newest),
        (many[0], "bbb", False, 69_659, many[1], True, newest),
        (few[0], "aaa", False, 69_659, few[1], True, newest),
        (few[0], "bbb", False, 69_659, few[1], True, newest),
        (few[0], "bbb", False, 69_659, few[1], True, newest),
    ]
    versions = _rows(
        history, "select view_name, builds, commit_sha from fsync_registry_versions order by 1, first_built_at"
    )
    assert versions == [(many[0], 3, "aaa"), (few[0], 1, "aaa"), (few[0], 2, "bbb")]


def test_a_build_knows_its_commit(tmp_path: Path, fsync: Fsync) -> None:
    root = copy_reference(tmp_path / "project")
    git = ["git", "-C", str(root), "-c", "user.name=me", "-c", "user.email=me@example.com"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "begin"]):
        subprocess.run([*git, *command], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    assert fsync("build", "--project-dir", root).code == 0
    assert set(_rows(root, "select commit_sha from fsync_registry_builds")) == {(head,)}


def test_the_catalogue_tool_reads_it_without_a_finding(warehouse: Path) -> None:
    """dbt-features, strictly: every feature table, feature and service is known to it."""
    dbt_features = Path(sys.executable).parent / "dbt-features"
    command = [str(dbt_features), "lint", "--strict", "--project-dir", str(warehouse)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    from dbt_features.parser import parse_project

    catalog = parse_project(warehouse)
    groups = {group.name: [feature.name for feature in group.features] for group in catalog.feature_groups}
    assert groups["user_lifetime"] == ["user_last_order_quantity", "user_lifetime_spend"]
    assert len(groups["user_id__orders_stream"]) == 8
