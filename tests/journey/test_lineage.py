"""`fsync lineage`, on the reference warehouse and where a class is carried through two models by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from fsync.errors import InputError
from fsync.lineage.graph import lineage_of
from fsync.spec.catalog import load_catalog
from fsync.spec.project import open_project
from tests.conftest import ROOT, Ended, settings

Fsync = Callable[..., Ended]

FILES = {
    "models/sources.yml": """
sources:
  - name: crm-eu
    tables:
      - name: people
        columns:
          - {name: id}
          - {name: email, meta: {pii: true}}
          - {name: city}
models:
  - name: signups
    config: {event_time: signed_up_at}
    columns:
      - {name: signup_id, data_type: bigint, data_tests: [unique]}
      - {name: person_id, data_type: bigint}
      - {name: signed_up_at, data_type: timestamp}
      - {name: address, data_type: varchar}
      - {name: city, data_type: varchar}
      - {name: shade, data_type: varchar, meta: {pii: false}}
  - name: masked
    config: {event_time: signed_up_at}
    columns:
      - {name: signup_id, data_type: bigint, data_tests: [unique]}
      - {name: person_id, data_type: bigint}
      - {name: signed_up_at, data_type: timestamp}
      - {name: mask, data_type: varchar, meta: {pii: false}}
  - name: again
    config: {event_time: valid_from}
    columns:
      - {name: person_id, data_type: bigint}
      - {name: valid_from, data_type: timestamp}
      - {name: address, data_type: varchar}
""",
    "models/staging/stg_people.sql": """
select id, signed_up_at, city, md5(email) as shade, lower(email) as "mail ""to"" <x>"
from {{ source('crm-eu', 'people') }}
""",
    "models/signups.sql": """
select
    id as signup_id, id as person_id, signed_up_at, city, shade,
    "mail ""to"" <x>" || case when city is null then '' else '!' end as address
from {{ ref('stg_people') }}
""",
    "models/masked.sql": "{{ mask(ref('stg_people')) }}",
    # of a table of features
    "models/again.sql": "select person_id, valid_from, p_address as address from {{ ref('people_features') }}",
    "feature_specs/people.yml": """
defaults: {entity: person_id, source: signups, owner: me, view: people_features}
features:
  - {name: p_address, transformation: latest(address), pii: true}
  - {name: p_length, transformation: length(p_address), pii: true}
  - {name: p_addresses, transformation: "lifetime_count(address)", where: city = 'Ulm'}
  - {name: p_shade, transformation: latest(shade)}
  - {name: p_of_both, transformation: "p_length / nullif(p_addresses, 0)", pii: true}
""",
    "feature_specs/masked.yml": """
{name: p_mask, entity: person_id, source: masked, transformation: latest(mask), owner: me}
""",
    "feature_specs/again.yml": """
name: p_again
entity: person_id
source: again
transformation: lifetime_max(address)
owner: me
declassify: {classes: [pii], note: for this test}
""",
    "feature_specs/services/mailer.yml": "{name: mailer, owner: me, features: [p_of_both, p_shade]}",
}


@pytest.fixture
def people(tmp_path: Path) -> Path:
    (tmp_path / "dbt_project.yml").write_text(settings())
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text.lstrip())
    return tmp_path


def shown(ended: Ended) -> list[str]:
    assert ended.code == 0, ended.err
    return ended.out.rstrip("\n").split("\n")


def test_the_tables_of_the_reference(fsync: Fsync) -> None:
    assert shown(fsync("lineage", "user_30d_avg_spend", "--project-dir", ROOT)) == [
        "user_30d_avg_spend (feature of user_id__orders_stream)",
        "├── user_30d_purchase_count (feature of user_id__orders_stream)",
        "│   └── user_id__orders_stream (view)",
        "│       └── orders_stream (model)",
        "│           └── cdnow.orders (source)",
        "├── user_30d_spend (feature of user_id__orders_stream)",
        "│   └── user_id__orders_stream (view) …",
        "└── user_id__orders_stream (view) …",
    ]


def test_the_columns_of_the_reference(fsync: Fsync) -> None:
    assert shown(fsync("lineage", "churn_model", "--column", "--project-dir", ROOT)) == [
        "churn_model (service)",
        "├── user_30d_purchase_count (feature of user_id__orders_stream)",
        "├── user_30d_spend (feature of user_id__orders_stream)",
        "│   └── orders_stream.amount (column)",
        "│       └── cdnow.orders.amount (column)",
        "├── user_90d_avg_order_value (feature of user_id__orders_stream)",
        "│   └── orders_stream.amount (column) …",
        "├── user_last_order_quantity (feature of user_lifetime)",
        "│   └── orders_stream.quantity (column)",
        "│       └── cdnow.orders.quantity (column)",
        "└── user_lifetime_spend (feature of user_lifetime)",
        "    └── orders_stream.amount (column) …",
    ]


def test_a_class_is_carried_and_what_is_only_used_is_told(people: Path, fsync: Fsync) -> None:
    assert shown(fsync("lineage", "p_addresses", "--column", "--project-dir", people)) == [
        "p_addresses (feature of people_features)",
        "├── signups.address (column, pii carried, only used)",
        "│   ├── stg_people.city (column, only used)",
        "│   │   └── crm-eu.people.city (column)",
        '│   └── stg_people.mail "to" <x> (column, pii carried)',
        "│       └── crm-eu.people.email (column, pii declared)",
        "└── signups.city (column, only used)",
        "    └── stg_people.city (column) …",
        "",
        "made of it:",
        "p_addresses (feature of people_features)",
        "└── p_of_both (feature of people_features, pii declared)",
        "    └── mailer (service)",
    ]
    # what its own YAML says goes before what it is made of
    assert shown(fsync("lineage", "p_shade", "--column", "--project-dir", people))[:4] == [
        "p_shade (feature of people_features)",
        "└── signups.shade (column)",
        "    └── stg_people.shade (column, pii carried)",
        "        └── crm-eu.people.email (column, pii declared)",
    ]


def test_a_model_that_cannot_be_read_is_marked(people: Path, fsync: Fsync) -> None:
    assert shown(fsync("lineage", "p_mask", "--project-dir", people)) == [
        "p_mask (feature of person_id__masked)",
        "└── person_id__masked (view)",
        "    └── masked (model, opaque)",
        "        └── stg_people (model)",
        "            └── crm-eu.people (source)",
    ]
    by_column = shown(fsync("lineage", "p_mask", "--column", "--project-dir", people))
    assert by_column[1] == "└── masked.mask (column, opaque)"
    assert '    ├── stg_people.mail "to" <x> (column, pii carried)' in by_column
    assert '    masked["masked (opaque)"]' not in by_column
    mermaid = shown(fsync("lineage", "p_mask", "--format", "mermaid", "--project-dir", people))
    assert '    model_masked["masked (opaque)"]' in mermaid
    nodes = json.loads(fsync("lineage", "p_mask", "--json", "--project-dir", people).out)["nodes"]
    assert [node["id"] for node in nodes if node["opaque"]] == ["model:masked"]


def test_a_feature_of_a_table_of_features_carries_its_class(people: Path, fsync: Fsync) -> None:
    assert shown(fsync("lineage", "p_again", "--column", "--project-dir", people))[:4] == [
        "p_again (feature of person_id__again)",
        "└── again.address (column, pii carried)",
        "    └── p_address (feature of people_features, pii declared)",
        "        └── signups.address (column, pii carried)",
    ]
    spec = people / "feature_specs/again.yml"
    spec.write_text(spec.read_text().partition("declassify")[0])
    ended = fsync("lineage", "p_again", "--project-dir", people)
    assert ended.code == 2
    assert "error[unclassed-exposure]: 'p_again' shows values of class pii" in ended.err
    assert "it shows again.address, made of p_address, which is pii" in ended.err


def test_mermaid(people: Path, fsync: Fsync) -> None:
    mail = "column_stg_people_x2e_mail_x20__x22_to_x22__x20__x3c_x_x3e_"
    assert shown(fsync("lineage", "p_addresses", "--column", "--format", "mermaid", "--project-dir", people)) == [
        "flowchart LR",
        '    service_mailer(["mailer"])',
        '    feature_p_addresses("p_addresses")',
        '    feature_p_of_both("p_of_both (pii declared)")',
        '    column_crm_x2d_eu_x2e_people_x2e_city["crm-eu.people.city"]',
        '    column_crm_x2d_eu_x2e_people_x2e_email["crm-eu.people.email (pii declared)"]',
        '    column_signups_x2e_address["signups.address (pii carried)"]',
        '    column_signups_x2e_city["signups.city"]',
        '    column_stg_people_x2e_city["stg_people.city"]',
        f'    {mail}["stg_people.mail #34;to#34; #60;x#62; (pii carried)"]',
        "    feature_p_of_both --> service_mailer",
        "    column_signups_x2e_address -.-> feature_p_addresses",
        "    column_signups_x2e_city -.-> feature_p_addresses",
        "    feature_p_addresses --> feature_p_of_both",
        "    column_stg_people_x2e_city -.-> column_signups_x2e_address",
        f"    {mail} --> column_signups_x2e_address",
        "    column_stg_people_x2e_city --> column_signups_x2e_city",
        "    column_crm_x2d_eu_x2e_people_x2e_city --> column_stg_people_x2e_city",
        f"    column_crm_x2d_eu_x2e_people_x2e_email --> {mail}",
    ]


def test_json(people: Path, fsync: Fsync) -> None:
    ended = fsync("lineage", "p_shade", "--column", "--format", "json", "--project-dir", people)

    def node(id_: str, table: str | None, opaque: bool = False, **classes: str) -> dict[str, object]:
        kind, _, name = id_.partition(":")
        return {"id": id_, "kind": kind, "name": name, "table": table, "classes": classes, "opaque": opaque}

    assert json.loads(ended.out) == {
        "nodes": [
            node("service:mailer", None),
            node("feature:p_shade", "people_features"),
            node("column:crm-eu.people.email", "crm-eu.people", pii="declared"),
            node("column:signups.shade", "signups"),
            node("column:stg_people.shade", "stg_people", pii="carried"),
        ],
        "edges": [
            {"from": "feature:p_shade", "to": "service:mailer", "shown": True},
            {"from": "column:signups.shade", "to": "feature:p_shade", "shown": True},
            {"from": "column:stg_people.shade", "to": "column:signups.shade", "shown": True},
            {"from": "column:crm-eu.people.email", "to": "column:stg_people.shade", "shown": True},
        ],
    }
    assert fsync("lineage", "p_shade", "--column", "--json", "--project-dir", people).out == ended.out


def test_an_unknown_name(people: Path, fsync: Fsync) -> None:
    ended = fsync("lineage", "p_adress", "--project-dir", people)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == "error: there is no feature and no service 'p_adress'\n  = did you mean 'p_address'?\n"


def test_all_features_at_once(people: Path) -> None:
    catalog, faults = load_catalog(open_project(people))
    assert faults == ()
    names = [feature.name for feature in catalog.features]
    for by_column in (False, True):
        graph = lineage_of(catalog, names, by_column=by_column)
        assert graph == lineage_of(catalog, reversed(names), by_column=by_column), "in a stable order"
        assert {f"feature:{name}" for name in names} | {"service:mailer"} <= graph.node.keys()
        for name in names:  # nothing is left out that one of them alone has
            assert set(lineage_of(catalog, [name], by_column=by_column).edges) <= set(graph.edges)
    with pytest.raises(InputError):
        lineage_of(catalog, ["nope"])
