"""`unknown-feature`, `duplicate-name`: a service names features that exist, each once, and has its name for itself."""

from __future__ import annotations

from collections.abc import Iterator

from fsync.language.suggest import did_you_mean
from fsync.spec.catalog import Catalog
from fsync.spec.issue import Issue
from fsync.spec.service import Service


def services_are_whole(catalog: Catalog) -> Iterator[Issue]:
    features = {feature.name for feature in catalog.features}
    first: dict[str, Service] = {}
    for service in catalog.services:
        place = service.written.place("name")
        if (other := first.setdefault(service.name, service)) is not service:
            notes = (f"it stands first in {other.written.place('name')}",)
            yield Issue("duplicate-name", f"the service {service.name!r} is defined a second time", place, notes)
        seen: set[str] = set()
        for index, name in enumerate(service.features):
            place = service.written.document.place((*service.written.path("features"), index))
            if name not in features | catalog.unread:
                near = did_you_mean(name, features)
                yield Issue("unknown-feature", f"there is no feature {name!r}", place, near)
            elif name in seen:
                message = f"the service {service.name!r} has the feature {name!r} twice"
                yield Issue("duplicate-name", message, place, ("a model's inputs have different names",))
            seen.add(name)
