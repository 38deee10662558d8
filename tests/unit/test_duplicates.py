"""Which features mean the same, and which do not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from fsync.compile import compile_project
from fsync.spec.project import open_project
from tests.conftest import ROOT, Ended

STAGING = (ROOT / "models/staging/_staging.yml").read_text()
DEFAULTS = "{entity: user_id, source: orders_stream, owner: me}"
#: what the others are derived from
BASE = """\
  - {name: sum30, transformation: "window_sum(amount, 30d)"}
  - {name: count30, transformation: "window_count(amount, 30d)"}
  - {name: events30, transformation: window_count(30d)}
  - {name: last, transformation: latest(quantity)}
"""


def duplicates(folder: Path, one: str, other: str, staging: str = STAGING) -> list[str]:
    """The messages about two features, `one` and `other`, beside the base."""
    (folder / "feature_specs").mkdir(exist_ok=True)
    (folder / "models").mkdir(exist_ok=True)
    (folder / "dbt_project.yml").write_text("name: shop\n")
    (folder / "models" / "staging.yml").write_text(staging)
    features = f"{BASE}  - {{name: one, {one}}}\n  - {{name: other, {other}}}\n"
    (folder / "feature_specs" / "specs.yml").write_text(f"defaults: {DEFAULTS}\nfeatures:\n{features}")
    found = compile_project(open_project(folder), dry_run=True).warnings
    return [warning.message for warning in found if warning.code == "duplicate-feature"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            'transformation: "window_max(amount, 4w)"',
            'transformation: "WINDOW_MAX(AMOUNT, 28d)", owner: you, pii: true',
        ),
        ("transformation: window_count(1d)", "transformation: window_count(24h), default: 0, view: elsewhere"),
        (
            'transformation: "window_min(amount, 1d)", default: 1',
            'transformation: "window_min(amount, 1d)", default: 1.00',
        ),
        ('transformation: "window_avg(amount, 30d)"', "transformation: sum30 / count30"),
        ('transformation: "window_avg(amount, 30d)"', 'transformation: "sum30 / nullif(count30, 0)"'),
        ('transformation: "window_avg(amount, 30d)", default: 0', "transformation: sum30 / count30, default: 0"),
        ("transformation: latest(amount)", "transformation: lifetime_last(amount)"),
        ("transformation: latest(amount), ttl: 1d", 'transformation: "window_last(amount, 24h)"'),
        ('transformation: "window_median(amount, 1d)"', 'transformation: "window_percentile(amount, 0.50, 1d)"'),
        ("transformation: sum30 * 2", "transformation: 2 * sum30"),
        ("transformation: other", "transformation: sum30 > 1"),
        ("transformation: 'coalesce(last, 5)'", "transformation: latest(quantity), default: 5, view: elsewhere"),
    ],
)
def test_two_ways_to_say_one_thing(tmp_path: Path, one: str, other: str) -> None:
    assert duplicates(tmp_path, one, other) == ["'other' means the same as 'one'"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('transformation: "window_sum(amount, 1d)"', 'transformation: "window_sum(amount, 2d)"'),
        ('transformation: "window_sum(amount, 1d)"', "transformation: lifetime_sum(amount)"),
        ('transformation: "window_sum(amount, 1d)"', 'transformation: "window_sum(amount, 1d)", where: amount > 0'),
        ('transformation: "window_max(amount, 1d)"', 'transformation: "window_max(amount, 1d)", default: 0'),
        ('transformation: "window_max(amount, 1d)"', 'transformation: "window_min(amount, 1d)"'),
        ("transformation: window_count(1d)", 'transformation: "window_count(quantity, 1d)"'),
        ("transformation: window_count(1d)", "transformation: window_count(1d), every: 1h"),
        ("transformation: latest(amount)", "transformation: latest(amount), ttl: 1d"),
        ('transformation: "window_first(amount, 1d)"', 'transformation: "window_last(amount, 1d)"'),
        (
            'transformation: "window_percentile(amount, 0.5, 1d)"',
            'transformation: "window_percentile(amount, 0.05, 1d)"',
        ),
        ("transformation: window_count(1d)", "transformation: window_count(1d), entity: order_id"),
        ("transformation: window_count(1d)", "transformation: window_count(1d), source: refunds"),
        ('transformation: "window_avg(amount, 30d)"', "transformation: sum30 / events30"),
        ('transformation: "window_avg(amount, 7d)"', "transformation: sum30 / count30"),
        ('transformation: "window_max(amount, 1d)"', 'transformation: "window_max(amount * 1, 1d)"'),
    ],
)
def test_two_things(tmp_path: Path, one: str, other: str) -> None:
    name = "  - name: orders_stream"
    assert STAGING.count(name) == 1
    refunds = STAGING[STAGING.index(name) :].replace("orders_stream", "refunds", 1)
    assert duplicates(tmp_path, one, other, f"{STAGING}\n{refunds}") == []


def test_what_is_derived_from_what_is_derived(tmp_path: Path) -> None:
    derived = "transformation: big or last > 1}\n  - {name: big, transformation: sum30 > 1"
    assert duplicates(tmp_path, derived, "transformation: last > 1 or 1 < sum30") == ["'other' means the same as 'one'"]


def test_every_later_feature_is_told_of_the_first(tmp_path: Path) -> None:
    again = "transformation: window_count( 30d )"
    assert duplicates(tmp_path, again, again) == [
        "'one' means the same as 'events30'",
        "'other' means the same as 'events30'",
    ]


def test_warnings_are_part_of_the_json(tmp_path: Path, fsync: Callable[..., Ended]) -> None:
    duplicates(tmp_path, "transformation: window_count(1d)", "transformation: window_count(24h), owner: you")
    ended = fsync("compile", "--dry-run", "--json", "--project-dir", tmp_path)
    assert (ended.code, ended.err) == (0, "")
    warnings = json.loads(ended.out)["warnings"]
    assert [warning for warning in warnings if warning["code"] == "duplicate-feature"] == [
        {
            "code": "duplicate-feature",
            "message": "'other' means the same as 'one'",
            "file": "feature_specs/specs.yml",
            "line": 8,
            "column": 35,
            "notes": [
                "'one' stands in feature_specs/specs.yml:7",
                "owned by me: use theirs, or talk to them first",
            ],
        }
    ]


def test_errors_come_alone(tmp_path: Path, fsync: Callable[..., Ended]) -> None:
    duplicates(tmp_path, "transformation: window_count(1d)", "transformation: window_count(24h)")
    with (tmp_path / "feature_specs" / "specs.yml").open("a") as specs:
        specs.write("  - {name: wrong, transformation: latest(nothing)}\n")
    ended = fsync("compile", "--project-dir", tmp_path)
    assert ended.code == 2
    assert "warning" not in ended.err
