"""Looking at what a store serves: entities of the table are asked for, as a model service would ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import duckdb
import pyarrow as pa

from fsync.data_tests import is_comparable
from fsync.errors import InputError, StoreOutOfReach
from fsync.instant import to_text
from fsync.plan import View
from fsync.read import Reader, Status
from fsync.sql import watched
from fsync.watch.look import Counted, Online
from fsync.watch.offline import values_of

#: what a value is worth that was promised
_AVAILABLE = frozenset({Status.OK, Status.EMPTY})


def look_online(view: View, reader: Reader, keys: Sequence[Any], at: int) -> Online:
    """Ask a store for entities of a view as of an instant, in epoch milliseconds."""
    try:
        batch = reader.read_batch([view.name], keys, at=at)
        served = batch.metas[view.name]
    except StoreOutOfReach as error:
        return Online(problem=f"the store does not answer: {error}", probes=len(keys))
    except InputError as error:  # its entity is another one by now
        return Online(problem=str(error), probes=len(keys))
    if served is None:
        return Online(problem="it was not pushed to this store, or has expired", probes=len(keys))
    answered = dict.fromkeys((planned.name for planned in view.features), 0)
    for reading in batch.readings[view.name]:
        for name, status in reading.status.items():
            if status in _AVAILABLE and name in answered:
                answered[name] += 1
    found = Online(as_of=served.as_of, probes=len(keys), answered=answered)
    if [(one.name, one.type) for one in served.features] != [(one.name, one.type) for one in view.features]:
        return replace(found, problem=f"version {served.hash} is served, and the specs say {view.hash}")
    if at < served.since:  # of the time before its push it knows some values, which are no fair sample
        return replace(found, problem=f"the store answers for the time from {to_text(served.since)} on")
    known = [not reading.is_missing for reading in batch.readings[view.name]]
    read = batch.to_arrow()
    return _with_values(found, view, read.filter(pa.array(known)) if known else read, at)


def _with_values(found: Online, view: View, read: pa.Table, at: int) -> Online:
    """What the values say, by the same queries that look at the table."""
    compared = [one for one in view.features if one.monitors.drift is not None and is_comparable(one)]
    query = watched.counts_query(view, "read", None)
    with _engine().cursor() as connection:
        connection.register("read", read)
        counts = connection.execute(query.sql).fetchall()
        rows = connection.sql(watched.values_query(view, "read", at, compared)).to_arrow_table() if compared else read
    return replace(
        found,
        counted={name: Counted(should, missing) for name, should, missing in query.counted(counts)},
        values={one.name: values_of(rows, one) for one in compared},
    )


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:")
    connection.execute("set enable_progress_bar = false; set timezone = 'UTC'")
    return connection
