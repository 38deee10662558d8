"""Looking at what a store serves: entities of the table are asked for, as a model service would ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache
from typing import Any

import duckdb
import pyarrow as pa

from fsync.errors import InputError
from fsync.instant import to_text
from fsync.plan import View
from fsync.read import Batch, Reader, Reading, Status
from fsync.sql import looks, watched
from fsync.watch.look import Counted, Online
from fsync.watch.offline import values_of

#: what a value is worth that was promised
_AVAILABLE = frozenset({Status.OK, Status.EMPTY})


def look_online(view: View, reader: Reader, keys: Sequence[Any], at: int) -> Online:
    """Ask a store for entities of a view as of an instant, in epoch milliseconds.

    Raises:
        StoreOutOfReach: when the store does not answer.
    """
    try:
        served = reader.meta(view.name)
        if served is None:
            return Online(problem="it was not pushed to this store, or has expired", probes=len(keys))
        readings = _readings(view, reader, keys, at)
    except InputError:  # its text may have an entity in it, and sentences go to a chat
        return Online(problem="what is served cannot be read", probes=len(keys))
    found = Online(as_of=served.as_of, probes=len(keys), answered=_answered(view, readings))
    if [(one.name, one.type) for one in served.features] != [(one.name, one.type) for one in view.features]:
        return replace(found, problem=f"version {served.hash} is served, and the specs say {view.hash}")
    if at < served.since:  # of the time before its push it knows some values, which are no fair sample
        problem = f"the store answers for the time from {to_text(served.since)} on"
        return replace(found, problem=problem, is_too_new=True)
    known = [reading for reading in readings if not reading.is_missing]
    try:
        read = Batch(tuple(one.key for one in known), {view.name: known}, {view.name: served}).to_arrow()
    except (pa.ArrowException, ValueError, TypeError, OverflowError):
        return replace(found, problem="a value that is served is not of its feature's type")
    return _with_values(found, view, read, at)


def _readings(view: View, reader: Reader, keys: Sequence[Any], at: int) -> list[Reading]:
    """The readings of entities, without those whose values cannot be read."""
    try:
        return reader.read_many(view.name, keys, at=at)
    except InputError:
        found = []
        for key in keys:
            with suppress(InputError):
                found.append(reader.read(view.name, key, at=at))
        return found


def _answered(view: View, readings: Sequence[Reading]) -> Mapping[str, int]:
    answered = dict.fromkeys((planned.name for planned in view.features), 0)
    for reading in readings:
        for name, status in reading.status.items():
            if status in _AVAILABLE and name in answered:
                answered[name] += 1
    return answered


def _with_values(found: Online, view: View, read: pa.Table, at: int) -> Online:
    """What the values say, by the same queries that look at the table."""
    compared = watched.compared_features(view)
    query = looks.counts_query(view, "read", None)
    with _engine().cursor() as connection:
        connection.register("read", read)
        counts = connection.execute(query.sql).fetchall()
        rows = connection.sql(looks.values_query(view, "read", at, compared)).to_arrow_table() if compared else read
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
