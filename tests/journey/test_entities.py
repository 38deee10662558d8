"""Training sets and vectors over views of different entities: composite ones, texts, UUIDs and dates."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

import fsync as library
from fsync.errors import InputError
from fsync_cli.main import run
from tests.conftest import BARE, Ended, copy_reference

Fsync = Callable[..., Ended]

SOURCE = """\
sources:
  - name: shop
    schema: shop
    tables:
      - name: visits
        config: {event_time: seen_at}
        columns:
          - {name: visit_id, data_type: bigint, data_tests: [unique]}
          - {name: guest, data_type: varchar}
          - {name: shop, data_type: uuid}
          - {name: day, data_type: date}
          - {name: seen_at, data_type: timestamp}
          - {name: spent, data_type: "decimal(10,2)"}
"""
SPECS = """\
defaults: {source: shop.visits, owner: tests}
features:
  - {name: guest_visits, entity: guest, view: guests, transformation: lifetime_count()}
  - {name: guest_note, entity: guest, view: guests, transformation: latest(guest), default: "{{ '%}' }} \\"none\\" {#"}
  - {name: pair_spent, entity: [guest, shop], view: pairs, transformation: lifetime_sum(spent)}
  - {name: day_visits, entity: day, view: days, transformation: window_count(2d)}
"""
SERVICE = "{name: mixed, owner: tests, features: [pair_spent, guest_note, day_visits, guest_visits]}"
ONE, TWO = "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = copy_reference(tmp_path_factory.mktemp("entities"), BARE)
    for path, text in (
        ("models/source.yml", SOURCE),
        ("feature_specs/specs.yml", SPECS),
        ("feature_specs/services/mixed.yml", SERVICE),
    ):
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text(text)
    with duckdb.connect(
        str(root / "warehouse.duckdb"), config={"storage_compatibility_version": "v1.5.0"}
    ) as connection:
        connection.execute("create schema shop")
        connection.execute(
            "create table shop.visits as select * from (values "
            f"(1, 'ann', uuid '{ONE}', date '2024-01-01', timestamp '2024-01-01 10:00', 1.50::decimal(10,2)), "
            f"(2, 'ann', uuid '{TWO}', date '2024-01-01', timestamp '2024-01-01 11:00', 2.25), "
            f"(3, 'a|b=c', uuid '{ONE}', date '2024-01-02', timestamp '2024-01-02 10:00', 4.00)) "
            "as visit (visit_id, guest, shop, day, seen_at, spent)"
        )
    assert run(["build", "--project-dir", str(root)]) == 0
    assert run(["push", "--as-of", "2024-01-03", "--project-dir", str(root)]) == 0
    return root


def test_each_view_is_joined_by_its_own_columns(shop: Path) -> None:
    labels = pa.table(
        {
            "buyer": ["ann", "ann", "a|b=c", "ann", None, "zoe"],
            "shop": [ONE, TWO, ONE, None, ONE, ONE],
            "Visit Day": pa.array([19723, 19723, 19724, 19723, 19724, None], pa.date32()),
            "at": ["2024-01-01T10:30", "2024-01-03", "2024-01-03", "2024-01-03", "2024-01-03", "2024-01-03"],
        }
    )
    keys = {"guest": "buyer", "days": {"day": "Visit Day"}}
    found = library.train(labels, timestamp="at", service="mixed", keys=keys, project_dir=shop)
    assert found.column_names == [*labels.column_names, "pair_spent", "guest_note", "day_visits", "guest_visits"]
    none = "{{ '%}' }} \"none\" {#"
    assert [tuple(map(str, row.values()))[4:] for row in found.to_pylist()] == [
        ("1.50", "ann", "1", "1"),
        ("2.25", "ann", "2", "2"),
        ("4.00", "a|b=c", "1", "1"),
        ("0.00", "ann", "2", "2"),
        ("0.00", none, "1", "0"),
        ("0.00", none, "0", "0"),
    ]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"guest": [7]}, "the labels' guest is BIGINT, and guest of guests is varchar: cast it"),
        ({"day": ["2024-01-01"], "guest": ["ann"]}, None),
        ({"day": pa.array([0], pa.timestamp("us"))}, "the labels' day is TIMESTAMP, and day of days is date: cast it"),
    ],
)
def test_columns_of_another_type_are_refused(columns: dict[str, Any], said: str | None, shop: Path) -> None:
    labels = pa.table({"guest": ["ann"], "day": ["2024-01-01"], "at": ["2024-01-03"], **columns})
    features = ["guest_visits", "day_visits"]
    if said is None:
        (row,) = library.train(labels, timestamp="at", features=features, project_dir=shop).to_pylist()
        assert (row["guest_visits"], row["day_visits"]) == (2, 2)
        return
    with pytest.raises(InputError, match=said):
        library.train(labels, timestamp="at", features=features, project_dir=shop)


def test_the_vector_of_a_service_of_many_entities(shop: Path, fsync: Fsync) -> None:
    arguments = ["get", "--service", "mixed", "--at", "2024-01-03", "--json", "--project-dir", str(shop)]
    ended = fsync(*arguments, f"guest=a|b=c,shop={ONE},day=2024-01-02", f"day=2024-01-01, guest=ann, shop={TWO}")
    assert ended.code == 0, ended.err
    first, second = ([one["value"] for one in json.loads(line)["features"].values()] for line in ended.out.splitlines())
    assert first == ["4.00", "a|b=c", 1, 1]
    assert second == ["2.25", "ann", 2, 2]
    ended = fsync(*arguments, "ann")
    assert ended.code == 2
    assert "has guest and shop and day, and not 'ann'" in ended.err


def test_a_value_of_a_composite_entity_is_explained(shop: Path, fsync: Fsync) -> None:
    arguments = ["--at", "2024-01-03", "--json", "--project-dir", str(shop)]
    ended = fsync("explain", "pair_spent", f"a%7Cb=c|{ONE}", *arguments)
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)
    assert (found["offline"]["value"], found["online"]["value"], found["behind"]["count"]) == ("4.00", "4.00", 1)
    assert json.loads(fsync("explain", "day_visits", "2024-01-01", *arguments).out)["behind"]["count"] == 2


def test_entities_of_every_type_are_watched_on_both_sides(shop: Path, fsync: Fsync) -> None:
    ended = fsync("watch", "--parity", "--json", "--as-of", "2024-01-03", "--project-dir", shop)
    found = json.loads(ended.out)
    assert (ended.code, found["differences"]) == (0, []), ended.out
    parity = {check["view"]: check["counted"] for check in found["checks"] if check["signal"] == "parity"}
    assert parity == {"guests": 2, "pairs": 3, "days": 2}
    drift = {check["feature"]: check for check in found["checks"] if check["signal"] == "drift"}
    # the history begins later than four weeks before
    assert {check["sentence"] for check in drift.values()} == {"there are no values of 28d before"}
    assert {check["feature"]: check["counted"] for check in drift.values() if check["side"] == "online"} == {
        "day_visits": 2,
        "guest_note": 2,
        "guest_visits": 2,
        "pair_spent": 3,
    }
