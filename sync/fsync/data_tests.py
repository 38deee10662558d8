"""The monitors of a view as data tests of dbt, one a kind and severity: a scan of the table is of all its features.

Each keeps the rows that failed (`store_failures`), which say which features they are of, and by how much.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, get_args

from fsync.plan import Planned, PlannedService, View
from fsync.spec.monitors import Baseline, Severity
from fsync.sql.watched import kind_of, knows_something, should_have_value

#: of every monitor, so that `dbt build --exclude tag:watch` leaves them to `fsync watch`
TAG: Final = "watch"


def monitors_of(view: View, services: Sequence[PlannedService]) -> list[dict[str, Any]]:
    """What `data_tests:` of a view's model has of its monitors; `services` have the training sets of baselines."""
    return [test for severity in get_args(Severity) for test in _of(view, severity, services)]


def _of(view: View, severity: Severity, services: Sequence[PlannedService]) -> Iterator[dict[str, Any]]:
    features = [planned for planned in view.features if planned.monitors.severity == severity]
    promised = {
        planned.name: {"within": str(planned.feature.freshness), "of": planned.monitors.freshness}
        for planned in features
        if planned.feature.freshness is not None and planned.monitors.freshness is not None
    }
    if promised:
        yield _test("freshness", view, severity, {"features": promised})
    among = {"population": knows_something(view).sql(dialect="duckdb"), "holding": True}
    counted = {
        planned.name: {"max": planned.monitors.null_ratio, "among": condition.sql(dialect="duckdb")}
        for planned in features
        if planned.monitors.null_ratio is not None and (condition := should_have_value(view, planned)) is not None
    }
    if counted:
        yield _test("null_ratio", view, severity, {"columns": counted, **among})
    compared = {
        planned.name: {
            "kind": kind_of(planned),
            "p": planned.monitors.drift,
            "effect": planned.monitors.drift_effect,
            "baseline": _baseline(planned.monitors.drift_baseline, services),
        }
        for planned in features
        if planned.monitors.drift is not None and is_comparable(planned)
    }
    if compared:
        yield _test("drift", view, severity, {"columns": compared, **among})


def is_comparable(planned: Planned) -> bool:
    """Whether a feature has a baseline to compare with: labels are of many instants, at which ages are not the same."""
    return planned.monitors.drift_baseline.service is None or kind_of(planned) != "age"


def _baseline(baseline: Baseline, services: Sequence[PlannedService]) -> dict[str, Any]:
    if baseline.service is not None:
        (training_set,) = (one.training_set for one in services if one.name == baseline.service)
        assert training_set is not None  # the check `baselines_exist`
        return {"relation": relation(training_set)}
    return {"before": str(baseline.before)} if baseline.before is not None else {"at": baseline.text}


def relation(training_set: str) -> str:
    """A training set as Jinja that dbt reads: a model, or a file."""
    if is_file(training_set):
        return f"read_{training_set.rpartition('.')[2].lower()}('{training_set.replace(chr(39), chr(39) * 2)}')"
    return f"ref('{training_set}')"


def is_file(training_set: str) -> bool:
    """Whether a training set is a file, and not a model."""
    return training_set.lower().endswith((".parquet", ".csv"))


def _test(kind: str, view: View, severity: Severity, arguments: Mapping[str, Any]) -> dict[str, Any]:
    name = f"{view.name}_{kind}" if severity == "warn" else f"{view.name}_{kind}_{severity}"
    config = {"severity": severity, "store_failures": True, "tags": [TAG]}
    return {f"fsync.{kind}": {"name": name, "arguments": dict(arguments), "config": config}}
