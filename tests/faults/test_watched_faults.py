"""What goes wrong with features is caught by the signals that it should trip, and by no other.

Each fault is done to a project of its own that is well: its source in the warehouse, or what it has pushed to a real
Redis. Which signals it should trip is written here by hand. The table in docs/watching.md is what comes out
(`pytest --bless` rewrites it: read it then).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import duckdb
import pytest
import yaml

from fsync_cli.main import run
from tests.conftest import BARE, ROOT, Ended, copy_reference, settings
from tests.servers import Server, redis_server

Fsync = Callable[..., Ended]

NOW = "2024-03-15"
#: so few that all of them are looked up in Redis
USERS = 450
#: each user pays once in each of so many weeks up to now
WEEKS = 7

SOURCE = """\
sources:
  - name: shop
    schema: shop
    tables:
      - name: payments
        config: {event_time: paid_at}
        columns:
          - {name: payment_id, data_type: bigint, data_tests: [unique, not_null]}
          - {name: user_id, data_type: bigint}
          - {name: paid_at, data_type: timestamp}
          - {name: amount, data_type: double}
          - {name: country, data_type: varchar}
"""
SPECS = """\
defaults:
  entity: user_id
  source: shop.payments
  owner: payments
  sla: {freshness: 1h, availability: 99%}
features:
  - {name: user_7d_payments, transformation: window_count(7d)}
  - {name: user_7d_average, transformation: "window_avg(amount, 7d)"}
  - {name: user_7d_country, transformation: "window_last(country, 7d)"}
"""

#: amounts are spread evenly from 10 to 50, of the user and the week alone; a third of the countries is not common
PAYMENTS = f"""\
create schema if not exists shop;
create or replace table shop.payments as
select
    week * {USERS} + user_id as payment_id,
    user_id,
    -- the first one pays five minutes ago, the others at some moment of the week
    timestamp '{NOW}' - to_days(week * 7) - to_seconds(300 + (user_id * 7919 + week * 104729) % 604000) as paid_at,
    10 + (user_id * 6007 + week * 15013) % 4000 / 100 as amount,
    ['NL', 'NL', 'DE', 'FR', 'BE', 'PT'][(user_id * 31 + week * 17) % 6 + 1] as country
from range({USERS}) as users (user_id), range({WEEKS}) as weeks (week);
"""
THIS_WEEK = f"paid_at >= timestamp '{NOW}' - interval 7 day"


@dataclass(frozen=True)
class Fault:
    """What goes wrong, what is done for it, and which (signal, side) alert.

    `source` is SQL on the source before a build; `pushed_as_of` the instant of the last push, None for now; `online`
    what is done to the store after it. `tests` are the data tests of dbt that warn.
    """

    what: str
    done: str
    trips: frozenset[tuple[str, str]]
    tests: frozenset[str] = frozenset()
    source: str = ""
    pushed_as_of: str | None = None
    online: Callable[[Server], None] | None = None


def _change_values(server: Server) -> None:
    client = server.client()
    keys = sorted(key for key in client.scan_iter("fs:{*}:user_id__shop_payments:*"))
    for key in keys[::20]:
        items = json.loads(cast(bytes, client.get(key)))
        items[0][1] = [items[0][1][0], items[0][1][1], items[0][1][2] + 1]
        client.set(key, json.dumps(items), keepttl=True)


def _kill(server: Server) -> None:
    server.process.kill()
    server.process.wait()


def _both(signal: str) -> frozenset[tuple[str, str]]:
    return frozenset({(signal, "offline"), (signal, "online")})


FAULTS = (
    Fault("nothing", "all is well", frozenset()),
    Fault(
        "the source stops",
        "no event for three hours, while builds and pushes go on",
        frozenset({("freshness", "offline")}),
        frozenset({"freshness"}),
        source=f"delete from shop.payments where paid_at > timestamp '{NOW}' - interval 3 hour",
    ),
    Fault(
        "the source stops, but for a clock that is wrong",
        "the same, with an event of the year 2030",
        frozenset({("freshness", "offline")}),
        frozenset({"freshness"}),
        source=f"delete from shop.payments where paid_at > timestamp '{NOW}' - interval 3 hour; "
        "insert into shop.payments values (-1, 1, timestamp '2030-01-01', 20, 'NL')",
    ),
    Fault(
        "20 % of a column is NULL",
        "a fifth of the amounts of the last week",
        _both("null_ratio"),
        frozenset({"null_ratio"}),
        source=f"update shop.payments set amount = null where {THIS_WEEK} and (user_id * 7) % 10 < 2",
    ),
    Fault(
        "the mean shifts",
        "amounts of the last week are higher by half a standard deviation",
        _both("drift"),
        frozenset({"drift"}),
        source=f"update shop.payments set amount = amount + 0.5 * 40 / sqrt(12) where {THIS_WEEK}",
    ),
    Fault(
        "a unit changes",
        "amounts of the last week are cents",
        _both("drift"),
        frozenset({"drift"}),
        source=f"update shop.payments set amount = amount * 100 where {THIS_WEEK}",
    ),
    Fault(
        "categories shift",
        "half of what came from the Netherlands in the last week comes from Portugal",
        _both("drift"),
        frozenset({"drift"}),
        source=f"update shop.payments set country = 'PT' where {THIS_WEEK} and country = 'NL' and user_id % 2 = 0",
    ),
    Fault(
        "Redis is stale",
        "the last push was three hours ago, builds go on",
        frozenset({("freshness", "online"), ("availability", "online")}),
        pushed_as_of="2024-03-14T21:00:00",
    ),
    Fault("Redis is down", "its process is killed", frozenset({("availability", "online")}), online=_kill),
    Fault(
        "values are changed in Redis",
        "one in twenty, by hand",
        frozenset({("parity", "online")}),
        online=_change_values,
    ),
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = copy_reference(tmp_path_factory.mktemp("watched") / "a project", BARE)
    policy = yaml.safe_load(settings())
    policy["vars"]["fsync"]["as_of"] = NOW
    (root / "dbt_project.yml").write_text(yaml.safe_dump(policy, sort_keys=False))
    for path, text in (("models/source.yml", SOURCE), ("feature_specs/specs.yml", SPECS)):
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text(text)
    return root


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with redis_server(tmp_path) as started:
        yield started


def _source(project: Path, *statements: str) -> None:
    path = str(project / "warehouse.duckdb")
    with duckdb.connect(path, config={"storage_compatibility_version": "v1.5.0"}) as connection:
        for statement in statements:
            connection.execute(statement)


def _warning_tests(project: Path) -> set[str]:
    results = json.loads((project / "target/run_results.json").read_text())["results"]
    warned = {one["unique_id"].split(".")[2] for one in results if one["status"] == "warn"}
    return {name.removeprefix("user_id__shop_payments_") for name in warned}


TOLD: dict[str, str] = {}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.what)
def test_a_fault_trips_the_signals_that_it_should(fault: Fault, project: Path, server: Server, fsync: Fsync) -> None:
    online = ("--online", server.url, "--project-dir", project)
    _source(project, PAYMENTS, *([fault.source] if fault.source else []))
    assert run(["build", "--project-dir", str(project)]) == 0
    assert _warning_tests(project) == fault.tests
    assert fsync("push", "--as-of", fault.pushed_as_of or NOW, *online).code == 0
    if fault.online is not None:
        fault.online(server)

    ended = fsync("watch", "--once", "--parity", "--json", *online)

    found: dict[str, Any] = json.loads(ended.out)
    alerts = [check for check in found["checks"] if check["verdict"] == "alert"]
    assert {(check["signal"], check["side"]) for check in alerts} == fault.trips, ended.out
    assert ended.code == (1 if fault.trips else 0)
    TOLD[fault.what] = _told(fault, alerts)


def _told(fault: Fault, alerts: list[dict[str, Any]]) -> str:
    """A row of the table: the first alert of each kind says it."""
    first: dict[tuple[str, str], str] = {}
    for check in alerts:
        first.setdefault((check["signal"], check["sentence"].split(",")[0]), f"{check['feature']}: {check['sentence']}")
    trips = ", ".join(f"{signal.replace('_', ' ')} {side}" for signal, side in sorted(fault.trips)) or "none"
    tests = ", ".join(sorted(fault.tests)) or "none"
    # where the server is, is chance
    sentence = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:6379", next(iter(first.values()), "").replace("|", "\\|"))
    return f"| {fault.what} | {fault.done} | {trips} | {tests} | {sentence} |"


HEAD = """\
| fault | what was done | `fsync watch` alerts | dbt's tests warn | what it says first |
|---|---|---|---|---|
"""


def test_the_documents_have_the_table_that_came_out(bless: bool) -> None:
    if len(TOLD) < len(FAULTS):
        pytest.skip("only a part of the faults was done")
    document = ROOT / "docs/watching.md"
    before, rest = document.read_text().split("<!-- faults -->\n")[:2]
    after = rest.split("<!-- end of faults -->\n")[1]
    table = HEAD + "".join(f"{TOLD[fault.what]}\n" for fault in FAULTS)
    text = f"{before}<!-- faults -->\n{table}<!-- end of faults -->\n{after}"
    if bless:
        document.write_text(text)
    assert text == document.read_text()
