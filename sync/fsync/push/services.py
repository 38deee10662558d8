"""Feature services into a store: what readers have to know to make their vectors."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import pyarrow as pa

from fsync import pushed, wire
from fsync.aim import GRACE_MS
from fsync.language.duration import Duration
from fsync.plan import PlannedService
from fsync.store import Store


@dataclass(frozen=True)
class ServiceReport:
    """What became of a service's definition in a store.

    `changed` tells whether the store knew another one, or none. A service waits for views of which the store does not
    serve the version that it is defined over, and its definition is not written before.
    """

    store: str
    service: str
    changed: bool
    waits_for: tuple[str, ...]
    dry_run: bool


def push_services(
    services: Iterable[PlannedService],
    store: Store,
    *,
    horizon: Duration,
    prefix: str = wire.PREFIX,
    dry_run: bool = False,
    pushing: Collection[str] = (),
) -> tuple[ServiceReport, ...]:
    """Make a store know services, once their views are served: a reader sees no feature that is not there yet.

    A definition lives as long as views that are pushed with the same horizon, and a grace time longer.

    Args:
        pushing: views that would have been pushed before, of a dry run.
    """
    reports = []
    for service in services:
        waits_for = tuple(
            view.name
            for view in service.views
            if view.name not in pushing
            and ((meta := pushed.served(store, prefix, view.name)) is None or meta.hash != view.hash)
        )
        key, value = wire.service_key(prefix, service.name), wire.encode_service(_meta(service))
        is_changed = store.get([key]) != [value]
        if not dry_run and not waits_for:
            ttl = horizon.milliseconds + 2 * GRACE_MS
            store.write(pa.array([key]), pa.array([value.decode()]), ttl)
        reports.append(ServiceReport(store.name, service.name, is_changed and not waits_for, waits_for, dry_run))
    return tuple(reports)


def _meta(service: PlannedService) -> wire.ServiceMeta:
    return wire.ServiceMeta(
        name=service.name,
        owner=service.owner,
        features=tuple(
            wire.ServiceFeature(member.view.name, member.planned.name, member.planned.type)
            for member in service.members
        ),
        entities={view.name: tuple(column.name for column in view.entity) for view in service.views},
    )
