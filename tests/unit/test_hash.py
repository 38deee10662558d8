"""The hash of a view changes with what it means, and not with how it is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from fsync.compile import plan_project
from fsync.spec.project import open_project
from tests.conftest import ROOT

SPECS = """\
defaults: {entity: user_id, source: orders_stream, view: v, owner: me}
features:
  - {name: a, transformation: "window_sum(amount * (1 + 1), 28d)", where: quantity > 1}
  - {name: b, transformation: a / 2, default: 1}
  - {name: c, transformation: latest(quantity)}
"""


def _hash(folder: Path, specs: str = SPECS, staging: str | None = None) -> str:
    (folder / "feature_specs").mkdir(exist_ok=True)
    (folder / "models").mkdir(exist_ok=True)
    (folder / "dbt_project.yml").write_text("name: shop\n")
    (folder / "feature_specs" / "specs.yml").write_text(specs)
    source = staging or (ROOT / "models/staging/_staging.yml").read_text()
    (folder / "models" / "staging.yml").write_text(source)
    (view,) = plan_project(open_project(folder)).views
    return view.hash


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("amount * (1 + 1)", "AMOUNT*((1+1)) /* twice */"),
        ("28d", "4w"),
        ("28d", "672h"),
        ("quantity > 1", "(quantity>1)"),
        ("quantity > 1", "1 < quantity"),
        ("quantity > 1", "not quantity <= 1.0"),
        ("amount * (1 + 1)", "(1 + 1) * amount"),
        ("a / 2", "'a / nullif(2, 0)'"),
        ("a / 2", "cast(a as double) / 2"),
        ('window_sum(amount * (1 + 1), 28d)"', 'window_sum(amount * (1 + 1), 28d)", default: 0'),
        ("owner: me", "owner: you, description: what, pii: true"),
        ("latest(quantity)", "LATEST( quantity )"),
        ("default: 1", "default: 1.0"),
    ],
)
def test_how_it_is_written_keeps_the_hash(tmp_path: Path, before: str, after: str) -> None:
    assert before in SPECS
    assert _hash(tmp_path) == _hash(tmp_path, SPECS.replace(before, after))


def test_the_order_of_features_keeps_the_hash(tmp_path: Path) -> None:
    head, *features = SPECS.split("  - ")
    turned = head + "".join(f"  - {feature}" for feature in reversed(features))
    assert turned != SPECS
    assert _hash(tmp_path) == _hash(tmp_path, turned)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("28d", "29d"),
        ("window_sum", "window_avg"),
        ("quantity > 1", "quantity > 2"),
        ("quantity > 1", "quantity >= 1"),
        (", where: quantity > 1", ""),
        ("quantity > 1", "not quantity > 1"),
        ("quantity > 1", "quantity > 1 or quantity is null"),
        ("amount * (1 + 1)", "amount * 1 + 1"),
        ("amount * (1 + 1)", "amount * (1 + 1.0)"),
        ("amount * (1 + 1)", "amount * 1 * 1"),
        ("a / 2", "2 / a"),
        ("default: 1", "default: 2"),
        ("name: c,", "name: d,"),
        ("user_id", "order_id"),
        ("owner: me", "owner: me, every: 7d"),
        ("latest(quantity)", "latest(quantity), ttl: 1d"),
        ("latest(quantity)", "latest(order_id)"),
    ],
)
def test_what_it_means_changes_the_hash(tmp_path: Path, before: str, after: str) -> None:
    assert before in SPECS
    assert _hash(tmp_path) != _hash(tmp_path, SPECS.replace(before, after))


def test_a_type_of_the_source_changes_the_hash(tmp_path: Path) -> None:
    staging = (ROOT / "models/staging/_staging.yml").read_text()
    assert _hash(tmp_path) != _hash(tmp_path, staging=staging.replace("decimal(10,2)", "decimal(10,3)"))
    assert _hash(tmp_path) == _hash(tmp_path, staging=staging.replace("Every purchase", "All purchases"))
    assert _hash(tmp_path) == _hash(tmp_path, staging=staging.replace("data_type: bigint", "data_type: BigInt"))
    assert _hash(tmp_path) != _hash(tmp_path, staging=staging.replace("data_type: timestamp", "data_type: timestamptz"))


def test_a_scale_changes_the_hash(tmp_path: Path) -> None:
    staging = (ROOT / "models/staging/_staging.yml").read_text().replace("decimal(10,2)", "double")
    scaled = [SPECS.replace(", where: quantity > 1", f", where: quantity > 1, scale: {scale}") for scale in (2, 3)]
    hashes = {_hash(tmp_path, specs, staging) for specs in (SPECS, *scaled)}
    assert len(hashes) == 3


def test_how_late_events_are_keeps_the_hash(tmp_path: Path) -> None:
    staging = (ROOT / "models/staging/_staging.yml").read_text()
    late = staging.replace("event_time: ordered_at", "event_time: ordered_at\n      meta: {fsync: {lateness: 2d}}")
    assert late != staging
    assert _hash(tmp_path) == _hash(tmp_path, staging=late)


def test_no_text_can_look_like_another_expression(tmp_path: Path) -> None:
    one, other = "lower(owner) in ('a', 'b')", "lower(owner) in ('a,expressions=text:b')"
    staging = (ROOT / "models/staging/_staging.yml").read_text()
    staging = staging.replace("name: quantity\n        data_type: bigint", "name: owner\n        data_type: text")
    specs = SPECS.replace("latest(quantity)", "latest(amount)")
    hashes = {_hash(tmp_path, specs.replace("quantity > 1", f'"{where}"'), staging) for where in (one, other)}
    assert len(hashes) == 2


def test_the_reference_views_keep_their_hashes() -> None:
    """A change here means that every deployment recomputes and pushes anew: raise SEMANTICS on purpose only."""
    hashes = {view.name: view.hash for view in plan_project(open_project(ROOT)).views}
    assert hashes == {"user_id__orders_stream": "8e40b5d2", "user_lifetime": "3641750f"}
