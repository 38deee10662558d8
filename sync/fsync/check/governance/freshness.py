"""`missing-freshness`, `unwatched-freshness`: how old a value may be is promised, and somebody hears if it is older."""

from __future__ import annotations

from collections.abc import Iterator

from fsync.lineage.features import upstream_of
from fsync.spec.catalog import Catalog
from fsync.spec.issue import Issue


def freshness_is_promised(catalog: Catalog) -> Iterator[Issue]:
    for feature in catalog.features:
        if feature.freshness is None:
            message = f"{feature.name!r} does not say how fresh it is"
            notes = ('say `sla: {freshness: "1h"}`: readers are told when a value is older',)
            yield Issue("missing-freshness", message, feature.written.place("name"), notes)


def freshness_is_watched(catalog: Catalog) -> Iterator[Issue]:
    upstream = upstream_of(catalog)
    unwatched = [
        feature
        for feature in catalog.features
        if feature.freshness is not None and catalog.policy.monitors_of(feature).freshness is None
    ]
    # one finding a source: the mend is one
    first = {feature.source: feature for feature in reversed(unwatched)}
    for name, feature in first.items():
        before = (catalog.sources[table] for table in upstream.tables(name) if table in catalog.sources)
        if not any(source.is_watched for source in before):
            message = f"{feature.name!r} promises to be no older than {feature.freshness}, and nobody watches it"
            notes = (
                "let it be watched: monitors: {freshness: event}",
                f"or give a source of dbt's that {name} is made of a `freshness:`",
            )
            yield Issue("unwatched-freshness", message, feature.written.place("sla"), notes)
