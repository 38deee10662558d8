"""`unknown-owner`: whoever answers for a feature or a service is somebody that the project knows."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from fsync.language.suggest import did_you_mean
from fsync.spec.catalog import Catalog
from fsync.spec.issue import Issue


def owners_are_known(catalog: Catalog) -> Iterator[Issue]:
    known = catalog.policy.owners
    if known is None:
        return
    for spec in catalog.specs:
        if not any(fnmatchcase(spec.owner, pattern) for pattern in known):
            notes = (f"vars.fsync.owners has: {', '.join(known) or 'nobody'}", *did_you_mean(spec.owner, known))
            message = f"{spec.owner!r}, who is to own {spec.name!r}, is not known"
            yield Issue("unknown-owner", message, spec.written.place("owner"), notes)
