"""Which rows of a view's table are watched: those of which something is known, and those that should have a value."""

from __future__ import annotations

import pytest

from fsync.compile import plan_project
from fsync.plan import View
from fsync.spec.project import open_project
from fsync.sql.watched import kind_of, knows_something, should_have_value
from tests.conftest import ROOT, settings

SPECS = """\
defaults: {entity: user_id, source: orders_stream, owner: me}
features:
  - {name: week_count, transformation: window_count(7d)}
  - {name: week_large, transformation: window_count(7d), where: amount > 100}
  - {name: day_average, transformation: "window_avg(amount, 1d)"}
  - {name: month_average, transformation: "window_avg(amount, 30d)"}
  - {name: month_large, transformation: "window_avg(amount, 30d)", where: amount > 100}
  - {name: month_zero, transformation: "window_max(amount, 30d)", default: 0}
  - {name: last_quantity, transformation: latest(quantity)}
  - {name: last_large, transformation: latest(quantity), where: quantity > 10}
  - {name: month_ratio, transformation: month_average / week_count}
  - {name: has_bought, transformation: week_count > 0}
  - {name: week_or_zero, transformation: "case when week_count > 0 then month_average else 0 end"}
  - {name: last_day, transformation: latest(ordered_at)}
"""

#: what tells that something happened in the window of a feature, beside its own value; None: nothing does
EXPECTED: dict[str, set[str] | None] = {
    "week_count": None,  # is never NULL
    "week_large": None,
    "day_average": None,  # what happened within a day, no other feature tells
    # a count of events tells of every window that is not longer
    "month_average": {"week_count", "month_large"},
    "month_large": {"week_large"},  # under the same condition, in a shorter window
    "month_zero": None,
    "last_large": {"week_large", "month_large"} - {"week_large", "month_large"} or None,  # other conditions
    "has_bought": {"week_count"},
}


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> View:
    root = tmp_path_factory.mktemp("watched")
    (root / "dbt_project.yml").write_text(settings())
    (root / "models").mkdir()
    (root / "models/staging.yml").write_text((ROOT / "models/staging/_staging.yml").read_text())
    (root / "feature_specs").mkdir()
    (root / "feature_specs/specs.yml").write_text(SPECS)
    (found,) = plan_project(open_project(root)).views
    return found


def _condition(view: View, name: str) -> str | None:
    (planned,) = (one for one in view.features if one.name == name)
    condition = should_have_value(view, planned)
    return None if condition is None else condition.sql(dialect="duckdb")


@pytest.mark.parametrize("name", EXPECTED)
def test_other_features_tell_whether_there_should_be_a_value(view: View, name: str) -> None:
    expected, condition = EXPECTED[name], _condition(view, name)
    if expected is None:
        assert condition is None
        return
    assert condition is not None
    named = {one.name for one in view.features if one.name in condition.replace("(", " ").split()} - {name}
    assert named == expected, condition


def test_an_entity_has_a_row_since_something_happened(view: View) -> None:
    assert _condition(view, "last_quantity") == "TRUE"


def test_what_is_derived_should_be_there_when_all_is_that_it_is_made_of(view: View) -> None:
    condition = _condition(view, "month_ratio")
    assert condition is not None
    assert condition == "(NOT month_average IS NULL AND week_count <> 0) OR NOT month_ratio IS NULL"


def test_a_value_that_is_null_is_none_even_if_the_empty_one_is_not(view: View) -> None:
    condition = _condition(view, "week_or_zero")
    assert condition == "(NOT month_average IS NULL AND week_count <> 0) OR NOT week_or_zero IS NULL"


def test_something_is_known_while_a_feature_is_not_at_its_empty_value(view: View) -> None:
    parts = set(knows_something(view).sql(dialect="duckdb").split(" OR "))
    assert {"week_count <> 0", "NOT month_average IS NULL", "month_zero <> 0"} <= parts
    # the week's count tells of the day and the week, and what is derived is made of the others
    others = {"NOT month_large IS NULL", "NOT last_quantity IS NULL", "NOT last_large IS NULL", "NOT last_day IS NULL"}
    assert parts == {"week_count <> 0", "NOT month_average IS NULL", "month_zero <> 0", *others}


def test_values_are_compared_by_their_types(view: View) -> None:
    kinds = {one.name: kind_of(one) for one in view.features}
    assert (kinds["month_average"], kinds["has_bought"], kinds["last_day"]) == ("number", "category", "age")
