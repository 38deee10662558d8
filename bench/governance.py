"""Checking many specs and following their columns to dbt's sources, against dbt parsing the same project.

    python bench/governance.py [--full] [--features N] [--repeat 3]

20 features a view; the source of each view is a staging model of 15 columns over a tagged source of dbt's, by CTEs, a
join and a window function. Each call is a fresh process. Target: `fsync check` and the graph of all columns of all
features together at most 10 s of CPU for 2,000 features in 100 views. What `dbt parse --no-partial-parse` takes for
the same project is told beside it.

Every feature that shows a tagged column must be found to be of its class, through two models, and no other.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from compile import PER_VIEW, _specs, dbt_parse, fsync
from measure import Bench, Cost, arguments, bare_project, in_child, median

#: of the forms of compile.py, the features that show the channel, which is tagged here
SHOWING: Final = "latest(channel)"


def main() -> None:
    given = arguments(__doc__, unit="features", small=200, full=2_000)
    bench = Bench("governance", {"features": given.size, "repeat": given.repeat})
    taken: dict[str, list[Cost]] = {name: [] for name in ("check", "lineage", "dbt parse")}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "project"
        showing = make_project(root, given.size)
        fsync(["compile", "--project-dir", str(root)])  # so that dbt has what it parses
        for _ in range(given.repeat):
            taken["check"].append(in_child(fsync, ["check", "--project-dir", str(root)])[1])
            found, cost = in_child(lineage, root)
            assert found == showing, f"{found} features are of a class, not {showing}"
            taken["lineage"].append(cost)
            taken["dbt parse"].append(in_child(dbt_parse, root)[1])
    for name, costs in taken.items():
        bench.tell(f"{name}: CPU", median(cost.cpu for cost in costs), "s")
        bench.tell(f"{name}: wall", median(cost.seconds for cost in costs), "s")
    both = [check.cpu + after.cpu for check, after in zip(taken["check"], taken["lineage"], strict=True)]
    bench.tell("check + lineage: CPU", median(both), "s", at_most=10)
    parse = median(cost.cpu for cost in taken["dbt parse"])
    bench.tell("check + lineage / dbt parse: CPU", median(both) / parse, "times")


# ---------------------------------------------------------------- work for children


def lineage(root: Path) -> int:
    """Follow all columns of all features; how many features show values of a class."""
    import gc

    from fsync.compile import checked_catalog
    from fsync.lineage.graph import lineage_of
    from fsync.spec.project import open_project

    gc.set_threshold(100_000, 50, 50)  # as the command line does
    catalog = checked_catalog(open_project(root))
    graph = lineage_of(catalog, [feature.name for feature in catalog.features], by_column=True)
    assert {node.name for node in graph.nodes if node.kind == "feature"} == {one.name for one in catalog.features}
    leaves = {edge.start for edge in graph.edges if edge.start.startswith("column:shop.")}
    assert leaves, "no column is followed to a source of dbt's"
    return sum(node.kind == "feature" and bool(node.classes) for node in graph.nodes)


# ---------------------------------------------------------------- the project


def make_project(root: Path, features: int) -> int:
    """A project with the features of compile.py over staging models; how many of them show what is tagged."""
    bare_project(root)
    (root / "models").mkdir()
    (root / "feature_specs").mkdir()
    views = -(-features // PER_VIEW)
    (root / "models/sources.yml").write_text(_properties(views))
    showing = 0
    for view in range(views):
        (root / f"models/events_{view}.sql").write_text(_model(view))
        specs = _specs(view, min(PER_VIEW, features - view * PER_VIEW))
        showing += specs.count(SHOWING)
        specs = specs.replace(f"source: shop.events_{view},", f"source: events_{view},")
        (root / f"feature_specs/view_{view:03}.yml").write_text(
            specs.replace(f'"{SHOWING}",', f'"{SHOWING}", pii: true,')
        )
    return showing


#: columns of a source, of which some are tagged, and those of the staging model over it
_RAW: Final = ("event_id", "customer", "happened_at", "amount_text", "quantity", "score", "country", "device", "note")
_TAGGED: Final = {"email": "pii", "phone": "pii", "card": "pci"}
_STAGED: Final = {
    "event_id": "bigint",
    "user_id": "bigint",
    "happened_at": "timestamp",
    "amount": '"decimal(10,2)"',
    "quantity": "integer",
    "score": "double",
    "channel": "varchar",
}


def _properties(models: int) -> str:
    lines = ["sources:", "  - name: shop", "    tables:"]
    for number in range(models):
        lines += [f"      - name: raw_{number}", "        columns:"]
        lines += [f"          - {{name: {name}}}" for name in _RAW]
        lines += [f"          - {{name: {name}, meta: {{{tag}: true}}}}" for name, tag in _TAGGED.items()]
    lines.append("models:")
    for number in range(models):
        lines += [f"  - name: events_{number}", "    config: {event_time: happened_at}", "    columns:"]
        for name, kind in _STAGED.items():
            unique = ", data_tests: [unique]" if name == "event_id" else ""
            lines.append(f"      - {{name: {name}, data_type: {kind}{unique}}}")
    return "\n".join(lines) + "\n"


def _model(number: int) -> str:
    return f"""\
{{{{ config(materialized='table') }}}}

with events as (

    select * from {{{{ source('shop', 'raw_{number}') }}}}

),

latest as (

    select
        *,
        row_number() over (partition by event_id order by happened_at desc) as nth,
        count(email) over (partition by customer) as addresses
    from events

),

devices as (

    select device, count(distinct email) as people, min(country) as country
    from events
    group by device

)

select
    latest.event_id::bigint as event_id,
    latest.customer::bigint as user_id,
    latest.happened_at::timestamp as happened_at,
    nullif(trim(latest.amount_text), '')::decimal(10, 2) as amount,
    latest.quantity::integer as quantity,
    latest.score * {number + 1} as score,
    case when latest.email like '%@%' then split_part(lower(latest.email), '@', 2) else 'none' end as channel,
    latest.phone is not null as has_phone,
    right(latest.card, 4) as last_digits,
    coalesce(latest.country, devices.country) as country,
    devices.people as people_of_device,
    latest.addresses,
    upper(latest.note) as note,
    extract(year from latest.happened_at) as year,
    latest.device
from latest
left join devices on devices.device = latest.device
where latest.nth = 1
"""


if __name__ == "__main__":
    main()
