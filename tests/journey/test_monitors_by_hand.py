"""The package's monitors on models of one's own, as an analytics engineer writes them: each passes and fails once.

What they return is kept by dbt (`store_failures`), and is held against numbers that are worked out by hand.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import duckdb
import pytest
from scipy import stats

from fsync.dbt import run_dbt
from fsync.errors import FsyncError
from fsync.spec.project import open_project
from tests.conftest import BARE, copy_reference

#: of 100 visits, one an hour: the last 20 have no score, 4 of them in the south
VISITS = """\
select
    number as visit_id,
    timestamp '2024-03-01' + to_hours(number) as seen_at,
    case when number < 80 then number % 10 end as score,
    case when number % 5 = 0 then 'south' else 'north' end as region,
    number as "it's"
from range(100) as numbers (number)
"""
#: the same scores twice as high, and half of the visits in the south
EARLIER = """\
select
    number as visit_id,
    2 * (number % 10) as score,
    case when number % 2 = 0 then 'south' else 'north' end as region
from range(80) as numbers (number)
"""
#: of both columns that are full, 4 % are otherwise, which is sure and too little; of one with few values, 46 of 380 are
MANY = """\
select
    number % 100 as one,
    number % 100 as another,
    case when number < 380 then number end as few,
    null::integer as nothing
from range(100000) as numbers (number)
"""
MANY_EARLIER = """\
select
    number % 100 + 4 as one,
    number % 100 + 4 as another,
    case when number < 380 then number + 46 end as few,
    null::integer as nothing
from range(100000) as numbers (number)
"""
TESTS = """\
models:
  - name: many
    data_tests:
      - fsync.drift:
          name: beside_sure_ones
          arguments:
            columns:
              one: {baseline: {relation: ref('many_earlier')}}
              another: {baseline: {relation: ref('many_earlier')}}
              few: {baseline: {relation: ref('many_earlier')}}
      - fsync.drift:
          name: beside_nothing
          arguments:
            columns:
              nothing: {baseline: {relation: ref('many_earlier')}}
              few: {baseline: {relation: ref('many_earlier')}}
  - name: visits
    data_tests:
      - fsync.freshness: {name: fresh_enough, arguments: {event_time: seen_at, within: 10h}}
      - fsync.freshness: {name: too_old, arguments: {event_time: seen_at, within: 8h}}
      - fsync.freshness: {name: as_of_then, arguments: {event_time: seen_at, within: 1h, as_of: "2024-03-03"}}
      - fsync.null_ratio:
          name: columns_at_once
          arguments:
            columns:
              score: {max: 0.3}
              seen_at: {max: 0%}
      - fsync.null_ratio:
          name: columns_of_some
          arguments:
            population: region = 'south'
            columns:
              score: {max: 5%, among: visit_id >= 50}
      - fsync.null_ratio:
          name: quoted_names
          arguments:
            columns:
              '"it''s"': {max: 5%}
      - fsync.drift:
          name: quoted_names_drift
          arguments:
            columns:
              '"it''s"': {p: 1%, effect: 5%, baseline: {relation: ref('visits')}}
      - fsync.drift:
          name: both_at_once
          arguments:
            columns:
              score: {baseline: {relation: ref('earlier')}}
              region: {kind: category, baseline: {relation: ref('earlier')}}
    columns:
      - name: score
        data_tests:
          - fsync.null_ratio: {name: few_nulls, arguments: {max: 20%}}
          - fsync.null_ratio: {name: many_nulls, arguments: {max: 19.9%}}
          - fsync.drift: {name: same_scores, arguments: {baseline: {relation: ref('visits')}}}
          - fsync.drift: {name: other_scores, arguments: {baseline: {relation: ref('earlier')}}}
          - fsync.drift: {name: other_by_little, arguments: {effect: 0.6, baseline: {relation: ref('earlier')}}}
      - name: region
        data_tests:
          - fsync.drift: {name: same_regions, arguments: {kind: category, baseline: {relation: ref('visits')}}}
          - fsync.drift: {name: other_regions, arguments: {kind: category, baseline: {relation: ref('earlier')}}}
"""
MORE = (("many.sql", MANY), ("many_earlier.sql", MANY_EARLIER))
FAILING = {
    *("too_old", "columns_of_some", "many_nulls", "other_scores", "other_regions", "both_at_once"),
    *("beside_sure_ones", "beside_nothing"),
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], Path]:
    root = copy_reference(tmp_path_factory.mktemp("by hand"), BARE)
    (root / "models").mkdir()
    for name, text in (("visits.sql", VISITS), ("earlier.sql", EARLIER), ("tests.yml", TESTS), *MORE):
        (root / "models" / name).write_text(text)
    with (root / "dbt_project.yml").open("a") as settings:
        settings.write("data_tests: {+store_failures: true, +severity: warn}\n")
    with pytest.MonkeyPatch.context() as patch:
        # nine hours after the last visit
        patch.setenv("FSYNC_AS_OF", "2024-03-05T13:00:00+01:00")
        report = run_dbt(open_project(root), ["build"])
    return {node.name: node.status for node in report.nodes if node.kind == "test"}, root / "warehouse.duckdb"


def test_they_fail_when_they_should_and_only_then(results: tuple[dict[str, str], Path]) -> None:
    statuses, _ = results
    assert {name for name, status in statuses.items() if status == "warn"} == FAILING
    assert set(statuses.values()) == {"warn", "pass"}
    assert len(statuses) == 17


def _failures(results: tuple[dict[str, str], Path], name: str) -> list[dict[str, Any]]:
    with duckdb.connect(str(results[1]), read_only=True) as connection:
        rows = connection.sql(f"select * from main_dbt_test__audit.{name}").to_arrow_table()
    found: list[dict[str, Any]] = rows.to_pylist()
    return found


def test_what_failed_is_kept(results: tuple[dict[str, str], Path]) -> None:
    (late,) = _failures(results, "too_old")
    assert late["lag"].nanoseconds == 9 * 3_600 * 10**9
    (nulls,) = _failures(results, "many_nulls")
    assert (nulls["feature"], nulls["nulls"], nulls["counted"], nulls["ratio"]) == ("score", 20, 100, 0.2)
    # in the south from visit 50 on: 10, of which those of 80, 85, 90 and 95 have none
    (some,) = _failures(results, "columns_of_some")
    assert (some["nulls"], some["counted"]) == (4, 10)


def test_how_much_drifts_is_kept(results: tuple[dict[str, str], Path]) -> None:
    # 0 to 9 against 0, 2, … 18: at 9, all of the first are no larger, and half of the second
    (scores,) = _failures(results, "other_scores")
    assert (scores["effect"], scores["current"], scores["baseline"]) == (0.5, 80, 80)
    # a fifth of 100 against half of 80 in the south: 60 of 180 in all
    (regions,) = _failures(results, "other_regions")
    assert regions["effect"] == pytest.approx(0.3)
    expected = sum(
        (seen - mean) ** 2 / mean for seen, mean in ((20, 100 / 3), (80, 200 / 3), (40, 80 / 3), (40, 160 / 3))
    )
    assert regions["statistic"] == pytest.approx(expected)
    assert 1e-6 < regions["p"] < 1e-4
    assert regions["q"] == regions["p"]


def test_p_is_adjusted_for_all_columns_of_a_test(results: tuple[dict[str, str], Path]) -> None:
    found = {row["feature"]: row for row in _failures(results, "both_at_once")}
    assert found.keys() == {"score", "region"}
    less, more = sorted(found.values(), key=lambda row: row["p"])
    # the smaller of two is doubled, the larger is as it is, and q never falls
    assert more["q"] == pytest.approx(more["p"])
    assert less["q"] == pytest.approx(min(2 * less["p"], more["p"]))


@pytest.mark.parametrize("name", ["beside_sure_ones", "beside_nothing"])
def test_p_is_adjusted_among_those_that_could_be_compared(results: tuple[dict[str, str], Path], name: str) -> None:
    """Columns that are as sure but changed too little take the first places; one that has no values takes none."""
    (found,) = _failures(results, name)
    expected = stats.ks_2samp(range(380), range(46, 426)).pvalue
    assert 0.005 < expected < 0.01
    assert (found["feature"], found["effect"]) == ("few", pytest.approx(46 / 380))
    assert (found["p"], found["q"]) == pytest.approx((expected, expected), abs=1e-9)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("fsync.freshness: {arguments: {event_time: seen_at}}", "freshness needs features, or event_time and within"),
        ("fsync.null_ratio: {arguments: {max: 5%}}", "null_ratio stands under a column, or has columns"),
        ("fsync.null_ratio: {arguments: {columns: {score: {max: few}}}}", "'few' is no share: write 5%, or 0.05"),
        ("fsync.null_ratio: {arguments: {columns: {score: {max: 5}}}}", "'5' is no share: write 5%, or 0.05"),
        ("fsync.null_ratio: {arguments: {columns: {score: {max: 500%}}}}", "'500%' is no share: write 5%, or 0.05"),
        ("fsync.freshness: {arguments: {event_time: seen_at, within: 3600}}", "'3600' is no duration: write 30s, 5m"),
        ("fsync.drift: {arguments: {columns: {score: {}}}}", "drift of score needs a baseline"),
        (
            "fsync.drift: {arguments: {columns: {score: {effect: 5, baseline: {relation: ref('visits')}}}}}",
            "'5' is no share: write 5%, or 0.05",
        ),
        (
            "fsync.drift: {arguments: {columns: {region: {baseline: {relation: ref('visits')}}}}}",
            "varchar is no number in",
        ),
        (
            "fsync.drift: {arguments: {columns: {seen_at: {baseline: {relation: ref('visits')}}}}}",
            "say kind: category, or kind: age of a time",
        ),
        (
            "fsync.drift: {arguments: {columns: {scores: {baseline: {relation: ref('visits')}}}}}",
            "has no such column",
        ),
        ("fsync.drift: {arguments: {columns: {score: {baseline: {before: 7d}}}}}", "say holding: true"),
        ("fsync.drift: {arguments: {columns: {score: {kind: text}}}}", "the kind of score is number, category or age"),
    ],
)
def test_what_is_not_said_right_is_told(wrong: str, said: str, tmp_path: Path) -> None:
    root = copy_reference(tmp_path / "wrong", BARE)
    (root / "models").mkdir()
    (root / "models/visits.sql").write_text(VISITS)
    (root / "models/tests.yml").write_text(f"models: [{{name: visits, data_tests: [{wrong}]}}]\n")
    with pytest.raises(FsyncError, match=re.escape(said)):
        run_dbt(open_project(root), ["build"])
