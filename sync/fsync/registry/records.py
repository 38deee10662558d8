"""Features, views and services as the registry tells them: one record each, of texts."""

from __future__ import annotations

from dataclasses import dataclass

from fsync.plan import Plan, Planned, PlannedService, View
from fsync.sql.empty import empty_values


@dataclass(frozen=True)
class FeatureRecord:
    """A feature, as a row of the registry's table of features: the same names, NULL as None.

    Lists are one text with commas, days are ISO 8601; `version` is that of its value.
    """

    feature: str
    view_name: str
    version: str
    data_type: str
    entity: str
    source: str
    transformation: str
    condition: str | None
    every: str | None
    ttl: str | None
    empty_value: str | None
    owner: str
    description: str
    classification: str
    freshness: str | None
    availability: str | None
    tags: str
    backfill_from: str | None
    backfill_note: str | None
    deprecated_since: str | None
    deprecated_note: str | None
    replacement: str | None


@dataclass(frozen=True)
class ServiceRecord:
    """A service: what its model reads, in its order, from here and from elsewhere."""

    service: str
    owner: str
    description: str | None
    since: str | None
    features: tuple[str, ...]
    external: tuple[str, ...]


def feature_records(plan: Plan) -> tuple[FeatureRecord, ...]:
    """The features of a plan, view by view."""
    return tuple(record for view in plan.views for record in view_records(view))


def view_records(view: View) -> tuple[FeatureRecord, ...]:
    """The features of a view, in the order of its columns."""
    return tuple(
        _record(view, planned, empty) for planned, empty in zip(view.features, empty_values(view), strict=True)
    )


def _record(view: View, planned: Planned, empty: object) -> FeatureRecord:
    feature = planned.feature
    backfill, deprecated = feature.backfill, feature.deprecated
    return FeatureRecord(
        feature=planned.name,
        view_name=view.name,
        version=planned.version,
        data_type=str(planned.type),
        entity=", ".join(column.name for column in view.entity),
        source=view.source.name,
        transformation=feature.definition,
        condition=feature.condition,
        every=_text(view.every),
        ttl=_text(feature.ttl),
        empty_value=_text(empty),
        owner=feature.owner,
        description=feature.description or f"{feature.definition}.",
        classification=", ".join(feature.classification),
        freshness=_text(feature.freshness),
        availability=feature.availability,
        tags=", ".join(feature.tags),
        backfill_from=None if backfill is None else backfill.from_.isoformat(),
        backfill_note=None if backfill is None else backfill.note,
        deprecated_since=None if deprecated is None else deprecated.since.isoformat(),
        deprecated_note=None if deprecated is None else deprecated.note,
        replacement=None if deprecated is None else deprecated.use,
    )


def service_record(service: PlannedService) -> ServiceRecord:
    """A planned service as a record."""
    return ServiceRecord(
        service=service.name,
        owner=service.owner,
        description=service.description,
        since=None if service.since is None else service.since.isoformat(),
        features=service.features,
        external=service.external,
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)
