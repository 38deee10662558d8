"""`missing-unique-key`: what depends on the order of events has a key to break ties with."""

from __future__ import annotations

from collections.abc import Iterator

from fsync.spec.catalog import Catalog
from fsync.spec.issue import Issue


def ties_can_be_broken(catalog: Catalog) -> Iterator[Issue]:
    for feature in catalog.features:
        source = catalog.sources.get(feature.source)
        if source is None or not feature.is_ordered:
            continue
        place = feature.written.place("transformation")
        if not source.unique_key:
            message = f"source {source.name} declares no unique key to order events of the same instant"
            mend = f"declare one in {source.place}: a `unique` data test on a column, or config: {{unique_key: …}}"
            yield Issue("missing-unique-key", message, place, (mend,))
        for name in source.unique_key:
            column = source.columns.get(name)
            if column is None or column.type is None:
                missing = "is not among its columns" if column is None else "has no data_type that can be ordered"
                message = f"the unique key {name!r} of {source.name} {missing}"
                yield Issue("missing-unique-key", message, place, (f"declare the column in {source.place}",))
