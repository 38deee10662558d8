"""The monitors of a view as data tests of dbt, one a kind and severity, of all its features.

Each keeps the rows that failed (`store_failures`), which say which features they are of, and by how much.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, get_args

from fsync.plan import Planned, PlannedService, View
from fsync.spec.monitors import Severity
from fsync.spec.training_set import TrainingSet
from fsync.sql.watched import compared_among, compared_features, kind_of, knows_something, should_have_value

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
    counted = {
        planned.name: {"max": planned.monitors.null_ratio, "among": condition.sql(dialect="duckdb")}
        for planned in features
        if planned.monitors.null_ratio is not None and (condition := should_have_value(view, planned)) is not None
    }
    if counted:
        yield _test("null_ratio", view, severity, {"columns": counted, "holding": True})
    compared = {
        planned.name: {
            "kind": kind_of(planned),
            "p": planned.monitors.drift,
            "effect": planned.monitors.drift_effect,
            "baseline": _baseline(planned, services),
            **_among(view, planned),
        }
        for planned in compared_features(view)
        if planned.monitors.severity == severity and _is_compared_by_dbt(planned, services)
    }
    if compared:
        population = knows_something(view).sql(dialect="duckdb")
        yield _test("drift", view, severity, {"columns": compared, "population": population, "holding": True})


def _among(view: View, planned: Planned) -> dict[str, str]:
    """Which values are compared, where it is not all of them."""
    condition = compared_among(view, planned)
    return {} if condition is None else {"among": condition.sql(dialect="duckdb")}


def _is_compared_by_dbt(planned: Planned, services: Sequence[PlannedService]) -> bool:
    """Whether a test of dbt can: a file need not be there where dbt builds, so that it is left to `fsync watch`."""
    training_set = _training_set(planned, services)
    return training_set is None or not training_set.is_file


def _training_set(planned: Planned, services: Sequence[PlannedService]) -> TrainingSet | None:
    name = planned.monitors.drift_baseline.service
    return next((one.training_set for one in services if one.name == name), None)


def _baseline(planned: Planned, services: Sequence[PlannedService]) -> dict[str, Any]:
    baseline, training_set = planned.monitors.drift_baseline, _training_set(planned, services)
    if training_set is not None:
        return {"relation": training_set.jinja}
    return {"before": str(baseline.before)} if baseline.before is not None else {"at": baseline.text}


def _test(kind: str, view: View, severity: Severity, arguments: Mapping[str, Any]) -> dict[str, Any]:
    name = f"{view.name}_{kind}" if severity == "warn" else f"{view.name}_{kind}_{severity}"
    config = {"severity": severity, "store_failures": True, "tags": [TAG]}
    return {f"fsync.{kind}": {"name": name, "arguments": dict(arguments), "config": config}}
