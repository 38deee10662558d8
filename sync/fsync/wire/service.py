"""A feature service as readers know it, as one JSON object: which features make its vector, in which order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fsync.language.types import SqlType
from fsync.wire.meta import VERSION, decoded, dumps, read_type


@dataclass(frozen=True)
class ServiceFeature:
    """A feature of a service, and the view that has it."""

    view: str
    name: str
    type: SqlType


@dataclass(frozen=True)
class ServiceMeta:
    """What a reader knows of a service. `entities` has the entity columns of each of its views."""

    name: str
    owner: str
    features: tuple[ServiceFeature, ...]
    entities: Mapping[str, tuple[str, ...]]

    @cached_property
    def views(self) -> tuple[str, ...]:
        """The views of its features, each once."""
        return tuple(dict.fromkeys(feature.view for feature in self.features))

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Every entity column that it needs, each once."""
        return tuple(dict.fromkeys(column for view in self.views for column in self.entities[view]))


def encode_service(service: ServiceMeta) -> bytes:
    features = [{"view": one.view, "name": one.name, "type": str(one.type)} for one in service.features]
    plain = {"wire": VERSION, "name": service.name, "owner": service.owner, "features": features}
    return dumps({**plain, "entities": service.entities})


def decode_service(value: bytes) -> ServiceMeta:
    """The service that a push wrote.

    Raises:
        InputError: when a later version of fsync wrote it, or something else did.
    """
    return decoded(value, lambda plain: f"service {plain['name']}", "the service", _service)


def _service(plain: Mapping[str, Any]) -> ServiceMeta:
    return ServiceMeta(
        name=plain["name"],
        owner=plain["owner"],
        features=tuple(
            ServiceFeature(feature["view"], feature["name"], read_type(feature["type"]))
            for feature in plain["features"]
        ),
        entities={view: tuple(columns) for view, columns in plain["entities"].items()},
    )
