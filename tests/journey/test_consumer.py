"""`tests/dbt/consumer`: a dbt project that installs the macros as a package, and uses them in models by hand."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from tests.conftest import ROOT

STAMP = "select comment from duckdb_tables() where table_name = 'click_counts'"
DBT = Path(sys.executable).parent / "dbt"


@pytest.fixture(scope="module")
def consumer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project, built; the macros stand where its packages.yml says."""
    root = tmp_path_factory.mktemp("consumer")
    shutil.copytree(ROOT / "macros", root / "macros")
    project = root / "tests" / "dbt" / "consumer"
    shutil.copytree(ROOT / "tests" / "dbt" / "consumer", project)
    for command in (["deps", "--quiet"], ["build", "--quiet"]):
        subprocess.run([DBT, *command], cwd=project, check=True)
    return project


def test_a_model_by_hand_has_the_values_of_the_definition(consumer: Path) -> None:
    """Ann clicks twice within a millisecond on the 1st of March, and on the 2nd on no page; worked out by hand."""
    columns = (
        "strftime(valid_from, '%d %H:%M:%S.%g'), clicks_1d, spent_7d::varchar, round(mean_7d, 9), least_7d::varchar, "
        "most_7d::varchar, round(spread_7d, 9), round(median_7d, 9), round(p90_7d, 9), pages_7d, first_page_7d, "
        "last_page_7d, last_page, last_page_1d, spent::varchar"
    )
    with duckdb.connect(str(consumer / "consumer.duckdb"), read_only=True) as connection:
        rows = connection.execute(
            f"select {columns} from click_features where who = 'ann' order by valid_from"
        ).fetchall()
    week = ("0.30", 0.15, "0.10", "0.20", 0.070710678, 0.15, 0.19, 2, "home", "shop")
    nothing = ("0.00", None, None, None, None, None, None, 0, None, None)
    assert rows == [
        ("01 10:00:00.000", 2, *week, "shop", "shop", "0.30"),
        ("02 10:00:00.000", 1, *week, "shop", None, "0.30"),
        ("03 10:00:00.000", 0, *week, "shop", None, "0.30"),
        ("08 10:00:00.000", 0, *nothing, "shop", None, "0.30"),
        ("09 10:00:00.000", 0, *nothing, "shop", None, "0.30"),
    ]


def test_a_model_by_hand_can_be_incremental(consumer: Path) -> None:
    path = str(consumer / "consumer.duckdb")
    query = "select valid_from, spent_7d from click_counts where who = 'bob' order by 1"
    with duckdb.connect(path) as connection:
        before = connection.execute(query).fetchall()
        connection.execute("update clicks set price = 3 where id = 5")
        (stamp,) = connection.execute(STAMP).fetchall()
    assert '"incremental": false' in stamp[0]
    subprocess.run([DBT, "run", "--quiet", "--select", "click_counts"], cwd=consumer, check=True)
    with duckdb.connect(path, read_only=True) as connection:
        after = connection.execute(query).fetchall()
        (stamp,) = connection.execute(STAMP).fetchall()
    assert '"incremental": true' in stamp[0]
    assert [str(spent) for _, spent in before] == ["1.00", "3.50", "2.50", "0.00"]
    assert [str(spent) for _, spent in after] == ["1.00", "4.00", "3.00", "0.00"]
