"""`deprecated-feature`: a model that is new does not begin with a feature that is on its way out."""

from __future__ import annotations

from collections.abc import Iterator

from fsync.spec.catalog import Catalog
from fsync.spec.issue import Issue


def services_read_what_stays(catalog: Catalog) -> Iterator[Issue]:
    deprecated = {feature.name: feature.deprecated for feature in catalog.features}
    for service in catalog.services:
        for index, name in enumerate(service.features):
            said = deprecated.get(name)
            if said is None or (service.since is not None and service.since < said.since):
                continue
            message = f"{service.name!r} is new and reads {name!r}, which is deprecated since {said.since}: {said.note}"
            instead = f"read {said.use!r} instead" if said.use else "leave it away"
            notes = (f"{instead}; a service from before says so with `since: <its first day>`",)
            place = service.written.document.place((*service.written.path("features"), index))
            yield Issue("deprecated-feature", message, place, notes)
