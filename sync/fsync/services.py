"""Feature services to a store: what readers have to know to make their vectors."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from fsync import wire
from fsync.aim import GRACE_MS
from fsync.language.duration import Duration
from fsync.plan import PlannedService
from fsync.store import Store


def push_services(
    services: Iterable[PlannedService],
    store: Store,
    *,
    horizon: Duration,
    prefix: str = wire.PREFIX,
    dry_run: bool = False,
) -> dict[str, bool]:
    """Make a store know services; for each by name, whether it knew another definition, or none.

    It outlives the views that are pushed with the same horizon. Their pushes come first: a reader sees no feature that
    is not there yet.
    """
    changed: dict[str, bool] = {}
    for service in services:
        key, value = wire.service_key(prefix, service.name), wire.encode_service(_meta(service))
        changed[service.name] = store.get([key]) != [value]
        if not dry_run:
            ttl = horizon.milliseconds + 2 * GRACE_MS
            store.write(pa.array([key]), pa.array([value.decode()]), ttl)
    return changed


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
