"""Each folder here is a case: a spec, the events it is given, the model it compiles to, and an oracle.

    spec.yml       the features; their source is `<case>.events`
    source.yml     dbt's YAML of that source
    given/*.csv    its rows
    model.sql      the golden model (`pytest --bless` rewrites it)
    oracle.sql     the values by hand: a query over `events` and `probes`, written from the definition

The model must be the golden one, and the table that dbt builds from it must answer every probe as the oracle
does. Probes are generated: every instant at which an event enters or leaves a window (every duration that the spec
writes), and the milliseconds before and after; with a granularity also the grid points around each of them.
"""

from __future__ import annotations

import math
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from fsync.build import build_project
from fsync.compile import plan_project
from fsync.instant import to_milliseconds
from fsync.language.duration import Duration, parse_duration
from fsync.plan import View
from fsync.push import push_view
from fsync.read import Reader, Status
from fsync.spec.project import open_project
from fsync.sql.empty import empty_values
from fsync.store.sqlite import SqliteStore
from fsync.warehouse.duckdb import Warehouse
from fsync.warehouse.profile import read_profile
from tests.conftest import BARE, copy_reference

HERE = Path(__file__).parent
CASES = sorted(folder.name for folder in HERE.iterdir() if (folder / "spec.yml").is_file())


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One project of all cases, built once."""
    root = copy_reference(tmp_path_factory.mktemp("golden"), BARE)
    for case in CASES:
        for name, folder in (("spec.yml", "feature_specs"), ("source.yml", "models")):
            (root / folder).mkdir(exist_ok=True)
            shutil.copy(HERE / case / name, root / folder / f"{case}.yml")
    with duckdb.connect(str(root / "warehouse.duckdb")) as connection:
        for case in CASES:
            _give(connection, case)
    build_project(open_project(root))
    return root


def _give(connection: duckdb.DuckDBPyConnection, case: str) -> None:
    """The rows of a case, in the types that its source declares."""
    declared = yaml.safe_load((HERE / case / "source.yml").read_text())["sources"][0]["tables"][0]["columns"]
    casts = ", ".join(f'cast("{column["name"]}" as {column["data_type"]}) as "{column["name"]}"' for column in declared)
    connection.execute(f"create schema {case}")
    connection.execute(
        f"create table {case}.events as select {casts} from read_csv(?, all_varchar = true, header = true)",
        [str(HERE / case / "given" / "events.csv")],
    )


def _views(root: Path, case: str) -> Iterator[View]:
    return (view for view in plan_project(open_project(root)).views if view.source.name == f"{case}.events")


@pytest.mark.parametrize("case", CASES)
def test_the_model_is_the_golden_one(case: str, built: Path, bless: bool) -> None:
    models = [(built / "models" / "features" / f"{view.name}.sql").read_text() for view in _views(built, case)]
    assert models, "the case compiles to a model"
    golden = HERE / case / "model.sql"
    if bless:
        golden.write_text("\n".join(models))
    assert "\n".join(models) == golden.read_text()


@pytest.mark.parametrize("case", CASES)
def test_the_table_answers_as_the_oracle(case: str, built: Path) -> None:
    (view,) = _views(built, case)
    with duckdb.connect(str(built / "warehouse.duckdb"), read_only=True) as connection:
        connection.execute("set timezone = 'UTC'")
        _make_probes(connection, view, case)
        keys = [column.name for column in view.entity]
        names = [planned.name for planned in view.features]
        expected = _answers(connection, (HERE / case / "oracle.sql").read_text(), [*keys, "t", *names])
        got = _answers(connection, _as_of(view, keys, names), [*keys, "t", *names])
    assert len(expected) >= 9, "there are probes"
    assert expected.keys() == got.keys()
    empty = tuple(empty_values(view))
    for probe, (_, values) in expected.items():
        is_there, row = got[probe]
        answer = row if is_there else empty
        assert all(map(_same, values, answer)), f"{case} at {probe}: {names} are {answer}, not {values}"
    assert any(is_there for is_there, _ in got.values()), "the table has rows"


@pytest.mark.parametrize("case", CASES)
def test_online_answers_as_the_oracle(case: str, built: Path, tmp_path: Path) -> None:
    """The same probes, through a push and the online store: keys and values of every type."""
    (view,) = _views(built, case)
    with duckdb.connect(str(built / "warehouse.duckdb"), read_only=True) as connection:
        connection.execute("set timezone = 'UTC'")
        _make_probes(connection, view, case)
        keys = [column.name for column in view.entity]
        names = [planned.name for planned in view.features]
        expected = _answers(connection, (HERE / case / "oracle.sql").read_text(), [*keys, "t", *names])
    first, last = (to_milliseconds(function(probe[-1] for probe in expected)) for function in (min, max))
    store = SqliteStore(tmp_path / "online.sqlite")
    with Warehouse(read_profile(open_project(built))) as warehouse:
        push_view(view, warehouse, store, as_of=first, horizon=Duration(last - first + 1))
    with Reader(store) as reader:
        for (*key, at), (_, values) in expected.items():
            reading = reader.read(view.name, tuple(key), at=at)
            assert list(reading.values) == names
            assert all(map(_same, values, reading.values.values())), f"{case}: {key} at {at}: {reading}, not {values}"
            assert Status.MISSING not in reading.status.values()


def _make_probes(connection: duckdb.DuckDBPyConnection, view: View, case: str) -> None:
    keys = [column.name for column in view.entity]
    at = view.event_time.name
    connection.execute(f"create temp view events as select * from {case}.events")
    reaches = {0, *_durations(case)}
    connection.execute("create temp table reaches as select unnest(?) as reach", [sorted(reaches)])
    grid = 1 if view.every is None else view.every.milliseconds
    connection.execute(
        f"create temp table probes as with happened as (select distinct {', '.join(keys)}, "
        f"epoch_ms(if({at} between '0001-01-01' and '9799-12-31', {at}::timestamp, '2024-01-01')) as e from events "
        f"where {' and '.join(f'{name} is not null' for name in (at, *keys))}), "
        # an event, the grid point at or before it and the one after; 1 ms is no grid
        f"points as (select *, {_floor('e', grid)} as point from happened), "
        f"entered as (select *, unnest([e, point, point + {grid}]) as enters from points) "
        f"select distinct {', '.join(keys)}, make_timestamp_ms(enters + reach + step) as t "
        f"from entered, reaches, unnest([-1, 0, 1]) as steps (step)"
    )


def _durations(case: str) -> set[int]:
    """Every duration of a spec as it is written there, in milliseconds: windows, ttl and granularity."""
    written = re.findall(r"\b\d+[smhdw]\b", (HERE / case / "spec.yml").read_text())
    return {parse_duration(text).milliseconds for text in written}


def _floor(milliseconds: str, grid: int) -> str:
    return f"({milliseconds} - (({milliseconds} % {grid}) + {grid}) % {grid})"


def _as_of(view: View, keys: list[str], names: list[str]) -> str:
    joined = " and ".join(f"probes.{key} = v.{key}" for key in keys)
    return (
        f"select {', '.join(f'probes.{key}' for key in keys)}, t, v.valid_from is not null as there, "
        f"{', '.join(f'v.{name}' for name in names)} "
        f"from probes left join {view.name} v on {joined} and v.valid_from < t and t <= v.valid_to"
    )


def _answers(
    connection: duckdb.DuckDBPyConnection, query: str, columns: list[str]
) -> dict[tuple[Any, ...], tuple[bool, tuple[Any, ...]]]:
    """Probe → (whether the table has a row for it, the values in the order of the view)."""
    relation = connection.sql(query)
    assert relation is not None
    rows = {}
    width = columns.index("t") + 1
    for row in relation.fetchall():
        named = dict(zip(map(str.lower, relation.columns), row, strict=True))
        probe = tuple(named[name] for name in columns[:width])
        assert probe not in rows, f"two rows hold at {probe}"
        rows[probe] = (bool(named.get("there", True)), tuple(named[name] for name in columns[width:]))
    return rows


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9)  # what is promised of DOUBLE
    return bool(one == other) or (one is None and other is None)
