"""All that is known of one feature, view or service: what specs say, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fsync.deployed import Built, Served
from fsync.errors import InputError
from fsync.language.suggest import did_you_mean
from fsync.lineage.reading import columns_of_feature
from fsync.plan import Plan, PlannedService, View
from fsync.registry.records import FeatureRecord, ServiceRecord, service_record, view_records
from fsync.spec.feature import Feature
from fsync.sql.model import column_sql


@dataclass(frozen=True)
class ViewCard:
    """A view: its version, and those that are built and served. Instants are epoch milliseconds, None for never."""

    view: str
    hash: str
    entity: tuple[str, ...]
    source: str
    classes: tuple[str, ...]
    features: tuple[str, ...]
    services: tuple[str, ...]
    built_hash: str | None
    built_at: int | None
    rows: int | None
    served_hash: str | None
    pushed_as_of: int | None


@dataclass(frozen=True)
class FeatureCard:
    """A feature: what its spec says, where that stands, its SQL, what it is made of, and what is made of it.

    `reads` are columns of its source, `source.column`, or for a derived feature the names of features.
    """

    record: FeatureRecord
    place: str
    sql: str
    reads: tuple[str, ...]
    derived: tuple[str, ...]
    services: tuple[str, ...]
    view: ViewCard


@dataclass(frozen=True)
class ServiceCard:
    """A service: what its spec says, where that stands, and the views that it reads."""

    record: ServiceRecord
    place: str
    views: tuple[ViewCard, ...]


Card = FeatureCard | ViewCard | ServiceCard


def card_of(name: str, plan: Plan, built: Built, served: Served) -> Card:
    """The card of a feature, else of a view, else of a service of this name.

    Raises:
        InputError: for a name that none of them has.
    """
    for view in plan.views:
        if name in {planned.name for planned in view.features}:
            return _feature_card(name, view, plan, built, served)
    for view in plan.views:
        if view.name == name:
            return _view_card(view, plan, built, served)
    for service in plan.services:
        if service.name == name:
            return _service_card(service, plan, built, served)
    features = [planned.name for view in plan.views for planned in view.features]
    known = [*features, *(view.name for view in plan.views), *(service.name for service in plan.services)]
    near = did_you_mean(name, known)
    raise InputError(f"no feature, view or service is called {name!r}", near[0] if near else "`fsync list` shows them")


def _feature_card(name: str, view: View, plan: Plan, built: Built, served: Served) -> FeatureCard:
    (planned,) = (planned for planned in view.features if planned.name == name)
    (record,) = (record for record in view_records(view) if record.feature == name)
    feature = planned.feature
    read = columns_of_feature(feature)
    return FeatureCard(
        record=record,
        place=str(feature.written.place("name")),
        sql=column_sql(view, planned),
        reads=tuple(sorted(read if feature.call is None else (f"{view.source.name}.{column}" for column in read))),
        derived=tuple(other.name for other in view.features if _is_derived_from(other.feature, name)),
        services=_names(service for service in plan.services if name in service.features),
        view=_view_card(view, plan, built, served),
    )


def _is_derived_from(feature: Feature, name: str) -> bool:
    return feature.call is None and name in columns_of_feature(feature)


def _view_card(view: View, plan: Plan, built: Built, served: Served) -> ViewCard:
    table, meta = built.tables.get(view.name), served.metas.get(view.name)
    return ViewCard(
        view=view.name,
        hash=view.hash,
        entity=tuple(column.name for column in view.entity),
        source=view.source.name,
        classes=tuple(sorted(view.classes)),
        features=tuple(planned.name for planned in view.features),
        services=_names(plan.services_of([view])),
        built_hash=None if table is None else table.hash,
        built_at=None if table is None else table.built_at,
        rows=next((build.rows for build in built.builds if build.view == view.name), None),
        served_hash=None if meta is None else meta.hash,
        pushed_as_of=None if meta is None else meta.as_of,
    )


def _service_card(service: PlannedService, plan: Plan, built: Built, served: Served) -> ServiceCard:
    return ServiceCard(
        record=service_record(service),
        place=service.place,
        views=tuple(_view_card(view, plan, built, served) for view in service.views),
    )


def _names(services: Iterable[PlannedService]) -> tuple[str, ...]:
    return tuple(service.name for service in services)
