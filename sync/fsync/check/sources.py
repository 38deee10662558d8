"""`unknown-source`, `missing-event-time`: a source is declared in dbt, with the time of its events."""

from __future__ import annotations

from collections.abc import Iterator

from fsync.language.suggest import did_you_mean
from fsync.language.types import DATE, TIMESTAMP
from fsync.spec.catalog import Catalog
from fsync.spec.issue import Issue


def sources_have_event_time(catalog: Catalog) -> Iterator[Issue]:
    for feature in catalog.features:
        place = feature.written.place("source")
        source = catalog.sources.get(feature.source)
        if source is None:
            known = sorted(catalog.sources)
            notes = (f"declared are: {', '.join(known)}",) if known else ("the project's dbt YAML declares none",)
            yield Issue(
                "unknown-source",
                f"no dbt model or source is called {feature.source!r}",
                place,
                (*notes, *did_you_mean(feature.source, known)),
            )
            continue
        if source.event_time is None:
            mend = f"declare it in {source.place}: config: {{event_time: <column>}}"
            message = f"source {source.name} has no event time"
            yield Issue("missing-event-time", message, place, (mend,))
            continue
        column = source.columns.get(source.event_time.lower())
        if column is None:
            message = f"the event time {source.event_time!r} of {source.name} is not among its columns"
            yield Issue("missing-event-time", message, place, (f"declare the column in {source.place}",))
        elif column.type not in (DATE, TIMESTAMP):
            declared = column.declared or "without a data_type"
            declared = declared if declared.isprintable() else repr(declared)
            message = f"the event time {column.name!r} of {source.name} is {declared}, not a timestamp or date"
            yield Issue("missing-event-time", message, place, (f"declare its data_type in {source.place}",))
