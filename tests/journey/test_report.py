"""`fsync report`: coverage, duplicates and freshness, as numbers that are worked out by hand."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.conftest import Ended

Fsync = Callable[..., Ended]

EXPOSURES = """\
exposures:
  - name: fraud_model
    type: ml
    owner: {name: risk <b>}
    depends_on: [ref('user_lifetime')]
    config:
      meta: {fsync: {features: [user_30d_spend, user_lifetime_spend, gone], external: [device_score, ip_risk]}}
  - name: silent_model
    type: ml
    owner: {name: risk}
    depends_on: [ref('user_lifetime')]
  - name: dashboard
    type: dashboard
    owner: {name: bi}
    depends_on: [ref('user_lifetime')]
"""
TWICE = """\
name: user_30d_total
entity: user_id
source: orders_stream
transformation: window_sum(amount, 720h)
owner: crm
pii: false
"""


@pytest.fixture
def project(warehouse: Path, tmp_path: Path) -> Path:
    root = Path(shutil.copytree(warehouse, tmp_path / "my project"))
    (root / "models/exposures.yml").write_text(EXPOSURES)
    (root / "feature_specs/twice.yml").write_text(TWICE)
    service = root / "feature_specs/services/churn_model.yml"
    service.write_text(service.read_text() + "external: [bureau_score]\n")
    return root


def _report(fsync: Fsync, root: Path, *more: str) -> dict[str, Any]:
    ended = fsync("report", "--json", "--project-dir", root, *more)
    assert ended.code == 0, ended.err
    found: dict[str, Any] = json.loads(ended.out)
    return found


def test_what_models_read_from_here_and_elsewhere(fsync: Fsync, project: Path) -> None:
    found = _report(fsync, project)
    models = {model["model"]: (model["features"], model["external"], model["share"]) for model in found["models"]}
    assert models == {"churn_model": (5, 1, 5 / 6), "fraud_model": (2, 2, 0.5), "silent_model": (0, 0, None)}
    assert found["coverage"] == pytest.approx(7 / 10)
    told = fsync("report", "--project-dir", project).out
    assert "70.0% of models' features come from here" in told
    assert "fraud_model names features that no spec defines: gone" in told
    assert "says nothing" in told
    assert "dashboard" not in told


def test_pipelines_doubled_and_not_doubled(fsync: Fsync, project: Path) -> None:
    found = _report(fsync, project)
    assert found["duplicates"] == [["user_30d_total", "user_30d_spend"]] or found["duplicates"] == [
        ["user_30d_spend", "user_30d_total"]
    ]
    assert found["avoided"] == 2, "user_30d_spend and user_lifetime_spend are read by two models each"


def test_freshness_is_counted_from_the_history_of_builds(fsync: Fsync, project: Path) -> None:
    """Builds at 0:00 and 2:00 of one day; looked at from 0:00 until 4:00."""
    day = datetime(2026, 3, 1)
    with duckdb.connect(str(project / "warehouse.duckdb")) as connection:
        connection.execute("delete from fsync_registry_builds")
        for hours in (0, 2):
            for view in ("user_id__orders_stream", "user_lifetime"):
                connection.execute(
                    "insert into fsync_registry_builds (view_name, hash, built_at) values (?, 'x', ?)",
                    [view, day + timedelta(hours=hours)],
                )
    found = _report(fsync, project, "--until", "2026-03-01T04:00:00", "--period", "4h")
    kept = {feature["feature"]: feature["share"] for owner in found["owners"] for feature in owner["features"]}
    # promised 5 min: fresh for 7 of every 120; 1 h: for 62; 1 d: always
    assert kept["user_30d_purchase_count"] == pytest.approx(7 / 120)
    assert kept["user_7d_spend"] == pytest.approx(62 / 120)
    assert kept["user_lifetime_spend"] == 1
    owners = {owner["owner"]: (owner["share"], owner["without"]) for owner in found["owners"]}
    assert owners["crm"] == (1, 1), "one of theirs promises nothing"
    assert owners["growth-ml"] == (pytest.approx((7 * 62 / 120 + 7 / 120) / 8), 0)


def test_the_page_is_one_file_and_escapes_what_people_write(fsync: Fsync, project: Path, tmp_path: Path) -> None:
    page = tmp_path / "report of today.html"
    ended = fsync("report", "--format", "html", "--output", page, "--project-dir", project)
    assert (ended.code, ended.out) == (0, "")
    text = page.read_text()
    assert "risk &lt;b&gt;" in text
    assert "<b>" not in text
    assert "70.0%" in text
    assert not any(word in text for word in ("http://", "https://", "src=", "<script"))


def test_without_a_warehouse_the_rest_is_reported(fsync: Fsync, project: Path) -> None:
    (project / "warehouse.duckdb").unlink()
    ended = fsync("report", "--project-dir", project)
    assert ended.code == 0
    assert "not looked at: there is no warehouse" in ended.err
    assert "70.0%" in ended.out


def test_a_wrong_period_or_file_is_2(fsync: Fsync, project: Path, tmp_path: Path) -> None:
    for wrong in (["--period", "month"], ["--until", "soon"], ["--output", str(tmp_path)]):
        ended = fsync("report", *wrong, "--project-dir", project)
        assert (ended.code, "Traceback" in ended.err) == (2, False)
