"""What the catalogue tool dbt-features reads of feature tables and services: `meta.feature_store` in dbt's YAML.

Source: the metadata schema 0.2 of dbt-features, which refuses keys that it does not know.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from fsync.language.duration import Duration
from fsync.language.types import BOOLEAN, DATE, TIMESTAMP, UUID, VARCHAR, SqlType
from fsync.plan import Planned, PlannedService, View

_PERIODS: Final = {"day": 86_400_000, "hour": 3_600_000, "minute": 60_000}


def of_view(view: View) -> dict[str, Any]:
    """Of a feature table: what it is of, which of its columns are no features, who owns it, how fresh it is."""
    keys = [column.name for column in view.entity]
    promised = [planned.feature.freshness for planned in view.features if planned.feature.freshness is not None]
    about: dict[str, Any] = {
        "is_feature_table": True,
        "entity": keys,
        "grain": [*keys, "valid_from"],
        "event_timestamp_column": "valid_from",
        "exclude_columns": ["valid_to"],
        "owner": ", ".join(sorted({planned.feature.owner for planned in view.features})),
    }
    if view.every is not None:
        about["time_grain"] = str(view.every)
    if promised:
        about["freshness"] = {"error_after": _threshold(min(promised))}
    tags = sorted({tag for planned in view.features for tag in planned.feature.tags})
    if tags:
        about["tags"] = tags
    return about


def of_feature(planned: Planned, empty: object, services: Sequence[PlannedService]) -> dict[str, Any]:
    """Of a column: how it is used, what NULL means, which services read it, and whether it is on its way out."""
    about: dict[str, Any] = {"feature_type": _kind(planned.type), "null_behavior": "propagate"}
    if (planned.is_never_null and str(empty) in ("0", "0.0")) or planned.feature.is_zero_when_empty:
        about["null_behavior"] = "zero"
    readers = [service.name for service in services if planned.name in service.features]
    if readers:
        about["used_by"] = readers
    if planned.feature.deprecated is not None:
        about["lifecycle"] = "deprecated"
        about["replacement"] = planned.feature.deprecated.use or planned.feature.deprecated.note
    return about


def of_service(service: PlannedService) -> dict[str, Any]:
    """Of an exposure: each feature that it reads."""
    return {"consumes": [f"{member.view.name}:{member.planned.name}" for member in service.members]}


def _threshold(promised: Duration) -> dict[str, Any]:
    """A duration in its largest whole unit; the tool knows none below a minute."""
    for period, milliseconds in _PERIODS.items():
        if promised.milliseconds % milliseconds == 0:
            return {"count": promised.milliseconds // milliseconds, "period": period}
    return {"count": -(-promised.milliseconds // _PERIODS["minute"]), "period": "minute"}


def _kind(of: SqlType) -> str:
    if of == BOOLEAN:
        return "boolean"
    if of in (DATE, TIMESTAMP):
        return "timestamp"
    if of == VARCHAR:
        return "categorical"
    return "identifier" if of == UUID else "numeric"
