"""`fsync list` and `fsync show`: what specs say, and what became of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT, Ended

Fsync = Callable[..., Ended]


@pytest.fixture
def project(warehouse: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(warehouse, tmp_path / "my project"))


def _shown(text: str) -> dict[str, str]:
    lines = (line.split("  ", 1) for line in text.splitlines())
    return {heading.strip(): rest.strip() for heading, rest in lines}


def test_list_shows_every_feature(fsync: Fsync) -> None:
    ended = fsync("list", "--project-dir", ROOT)
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert len(lines) == 11
    assert any(line.endswith("window_count(180d) where amount >= 50") for line in lines)
    assert "service churn_model (growth-ml) reads 5 features" in ended.err


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        (["--owner", "crm"], ["user_last_order_quantity", "user_lifetime_spend"]),
        (["--tag", "loyalty", "--view", "user_lifetime"], ["user_last_order_quantity", "user_lifetime_spend"]),
        (["--class", "pii"], []),
        (["--owner", "crm", "--tag", "spend"], []),
    ],
)
def test_list_of_some(fsync: Fsync, filters: list[str], names: list[str]) -> None:
    found = json.loads(fsync("list", "--json", "--project-dir", ROOT, *filters).out)
    assert [record["feature"] for record in found["features"]] == names
    assert [record["service"] for record in found["services"]] == (["churn_model"] if names else [])


def test_show_tells_all_of_a_feature(fsync: Fsync, project: Path) -> None:
    assert fsync("push", "--as-of", "1998-07-01", "--project-dir", project).code == 0
    ended = fsync("show", "user_90d_avg_order_value", "--project-dir", project)
    assert ended.code == 0
    told = _shown(ended.out)
    # by hand, from feature_specs/user_spend.yml and churn_model.yml
    assert (
        told
        | {
            "definition": "window_avg(amount, 90d)",
            "where": "amount > 0",
            "type": "double",
            "empty value": "NULL",
            "owner": "growth-ml",
            "classes": "none",
            "promises": "no older than 1h, available 99.5%",
            "made of": "orders_stream.amount",
            "read by": "churn_model",
            "backfill": "from 1997-04-01: the data begins with January 1997",
            "last push": "as of 1998-07-01T00:00:00Z",
        }
        == told
    )
    assert told["defined in"].startswith("feature_specs/user_spend.yml:")
    assert "fsync.window_avg('" in told["SQL"]
    assert told["last build"].endswith(" rows")


def test_show_tells_of_derived_features_views_and_services(fsync: Fsync, project: Path) -> None:
    derived = json.loads(fsync("show", "user_30d_avg_spend", "--json", "--project-dir", project).out)
    assert (derived["kind"], derived["reads"]) == ("feature", ["user_30d_purchase_count", "user_30d_spend"])
    read = json.loads(fsync("show", "user_30d_spend", "--json", "--project-dir", project).out)
    assert (read["derived"], read["services"]) == (["user_30d_avg_spend"], ["churn_model"])
    view = json.loads(fsync("show", "user_lifetime", "--json", "--project-dir", project).out)
    assert (view["kind"], view["services"], view["pushed_as_of"]) == ("view", ["churn_model"], None)
    assert view["built_hash"] == view["hash"]
    service = json.loads(fsync("show", "churn_model", "--json", "--project-dir", project).out)
    assert (service["kind"], service["record"]["owner"]) == ("service", "growth-ml")
    assert [view["view"] for view in service["views"]] == ["user_id__orders_stream", "user_lifetime"]


def test_show_tells_what_watching_came_to(fsync: Fsync, project: Path) -> None:
    before = json.loads(fsync("show", "user_lifetime_spend", "--json", "--project-dir", project).out)
    assert before["last_checks"] == []
    assert fsync("push", "--as-of", "1998-07-01", "--project-dir", project).code == 0
    assert fsync("watch", "--as-of", "1998-07-01", "--project-dir", project).code == 0
    assert fsync("watch", "--as-of", "1998-07-04", "--project-dir", project).code == 1
    told = _shown(fsync("show", "user_lifetime_spend", "--project-dir", project).out)
    assert told["last watched"].startswith("as of 1998-07-04T00:00:00Z, ")
    assert told["alert"].startswith("freshness online: what the store knows is 3 d old, of 1998-07-01T00:00:00Z")
    after = json.loads(fsync("show", "user_lifetime_spend", "--json", "--project-dir", project).out)
    # as docs/watching.md says of this project three days later
    assert {(one["signal"], one["side"]) for one in after["last_checks"] if one["verdict"] == "alert"} == {
        ("freshness", "online"),
        ("availability", "online"),
    }
    assert {one["watched_at"] for one in after["last_checks"]} == {"1998-07-04T00:00:00Z"}
    view = json.loads(fsync("show", "user_lifetime", "--json", "--project-dir", project).out)
    assert view["last_checks"] == [], "checks are of features"
    # another store, which does not answer, and is not the one that is shown
    dead = ("--online", "redis://127.0.0.1:1/0", "--as-of", "1998-07-04")
    assert fsync("watch", *dead, "--project-dir", project).code == 1
    assert "does not answer" not in fsync("show", "user_lifetime_spend", "--project-dir", project).out


def test_another_target_has_no_checks_of_this_one(fsync: Fsync, project: Path) -> None:
    profiles = project / "profiles.yml"
    text = profiles.read_text()
    (dev,) = [text[text.index("    dev:") :]]
    profiles.write_text(
        text + dev.replace("    dev:", "    prod:").replace("type: duckdb", "type: duckdb\n      schema: prod")
    )
    assert fsync("watch", "--as-of", "1998-07-01", "--project-dir", project).code == 0
    here = json.loads(fsync("show", "user_lifetime_spend", "--json", "--project-dir", project).out)
    there = json.loads(fsync("show", "user_lifetime_spend", "--json", "--target", "prod", "--project-dir", project).out)
    assert here["last_checks"]
    assert here["view"]["rows"]
    assert (there["last_checks"], there["view"]["rows"], there["view"]["built_at"]) == ([], None, None)


def test_what_is_built_of_another_version_is_told(fsync: Fsync, project: Path) -> None:
    spec = project / "feature_specs/user_lifetime.yml"
    spec.write_text(spec.read_text().replace("lifetime_sum(amount)", "lifetime_max(amount)"))
    told = _shown(fsync("show", "user_lifetime", "--project-dir", project).out)
    assert ", of another version: " in told["last build"]
    assert told["last push"] == "none"


def test_without_warehouse_and_store_the_specs_are_shown(fsync: Fsync, project: Path) -> None:
    (project / "warehouse.duckdb").unlink()
    ended = fsync("show", "user_lifetime", "--online", "redis://127.0.0.1:1/0", "--project-dir", project)
    assert ended.code == 0
    # nobody could look: that is not none
    assert (_shown(ended.out)["last build"], _shown(ended.out)["last push"]) == ("unknown", "unknown")
    assert ended.err.count("not looked at: ") == 2


def test_a_name_that_nothing_has_is_2(fsync: Fsync) -> None:
    ended = fsync("show", "churn_modl", "--project-dir", ROOT)
    assert (ended.code, ended.out) == (2, "")
    assert "did you mean 'churn_model'?" in ended.err
