"""Looking at a view's table: what can be counted is counted of all entities, what is compared is a sample of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from fsync.dbt import relation_of
from fsync.errors import FsyncError, NotBuilt
from fsync.plan import Plan, Planned, View
from fsync.spec.project import Project
from fsync.spec.training_set import TrainingSet
from fsync.sql import looks, watched
from fsync.warehouse.duckdb import Table, Warehouse
from fsync.watch.look import Counted, Numbers, Offline, Values

#: how many entities of a view are compared: enough to see that a fifth of a standard deviation has changed
SAMPLE: Final = 10_000
#: how many of them are asked for online
PROBES: Final = 1_000


def look_offline(view: View, project: Project, plan: Plan, warehouse: Warehouse, at: int, sample: int) -> Offline:
    """Look at a view's table as of an instant.

    Args:
        plan: where the training sets of services are told.
        at: in epoch milliseconds.
        sample: how many entities are compared, about.
    """
    try:
        table = warehouse.table(view)
    except NotBuilt as error:
        return Offline(problem=str(error))
    query = looks.counts_query(view, table.sql, at)
    counts = warehouse.rows(query.sql)
    entities = query.entities(counts)
    compared = watched.compared_features(view)
    earlier = {one.name: one.monitors.drift_baseline.instant(at) for one in compared}
    instants = [at, *sorted({instant for instant in earlier.values() if instant is not None})]
    rows = warehouse.to_arrow(
        looks.sample_query(view, table.sql, instants, max(1, entities // sample), compared)
    ).combine_chunks()
    held = [rows.filter(rows[f"{looks.FLAG}{number}"]) for number in range(len(instants))]
    before = {
        one.name: values_of(held[instants.index(instant)], one, instants.index(instant))
        for one in compared
        if (instant := earlier[one.name]) is not None
    }
    training, missing = _training(view, compared, project, plan, warehouse, sample)
    return Offline(
        built_at=table.built_at,
        newest_event=_newest_event(view, project, table, warehouse, at),
        entities=entities,
        counted={name: Counted(should, missing) for name, should, missing in query.counted(counts)},
        values={one.name: values_of(held[0], one) for one in compared},
        before={**before, **training},
        missing=missing,
        keys=tuple(_keys(held[0].take(pa.array(spread(held[0].num_rows, PROBES), pa.int64())), view)),
    )


def values_of(rows: pa.Table, planned: Planned, number: int = 0) -> Values:
    """The values of a feature among rows, as of one of their instants."""
    column = pc.drop_null(rows[looks.columns_of(planned, number)])
    if watched.kind_of(planned) == "category":
        counts = pc.value_counts(column).to_pylist()
        return {one["values"]: one["counts"] for one in counts}
    numbers: Numbers = column.to_numpy(zero_copy_only=False)
    return numbers


def spread(rows: int, most: int) -> Sequence[int]:
    """The numbers of rows from all over a table, which may be in an order: the first ones would be of one kind."""
    return [place * rows // most for place in range(most)] if rows > most else range(rows)


def _keys(rows: pa.Table, view: View) -> Iterable[Any]:
    columns = [rows[column.name].to_pylist() for column in view.entity]
    return columns[0] if len(columns) == 1 else zip(*columns, strict=True)


def _newest_event(view: View, project: Project, table: Table, warehouse: Warehouse, at: int) -> int | None:
    """The newest event before an instant that the table has. Its stamp has the newest before its build."""
    newest = table.newest_event
    if not table.events or (newest is not None and newest < at):
        return newest
    # of an earlier instant, or a table of an earlier fsync, the source tells: what was there when it was built
    with suppress(FsyncError):  # the source is elsewhere, or is gone
        source = relation_of(project, view.source.jinja)
        (found,) = warehouse.row(looks.newest_event_query(view, source, min(at, table.built_at)))
        return None if found is None else int(found)
    return newest


def _training(
    view: View, compared: Sequence[Planned], project: Project, plan: Plan, warehouse: Warehouse, sample: int
) -> tuple[Mapping[str, Values], Mapping[str, str]]:
    """Values of the training sets that are baselines; and why some have none."""
    values: dict[str, Values] = {}
    missing: dict[str, str] = {}
    for one in compared:
        service = one.monitors.drift_baseline.service
        training_set = None if service is None else plan.service(service).training_set
        if training_set is None:
            continue
        try:
            query = looks.training_query(view, one, _relation(training_set, project), sample)
            values[one.name] = values_of(warehouse.to_arrow(query).combine_chunks(), one)
        except NotBuilt as error:
            missing[one.name] = f"{training_set.text} cannot be read: {error}"
        except FsyncError:  # its text may have a value in it, and sentences go to a chat
            missing[one.name] = _why_unread(training_set, one, project, warehouse)
    return values, missing


def _why_unread(training_set: TrainingSet, planned: Planned, project: Project, warehouse: Warehouse) -> str:
    """Why there are no values of a feature in a training set."""
    try:
        columns = {name for name, _ in warehouse.columns(f"from {_relation(training_set, project)}")}
    except FsyncError:
        return f"{training_set.text} cannot be read as a table"
    if planned.name not in columns:
        return f"{training_set.text} has no column {planned.name}"
    return f"the column {planned.name} of {training_set.text} has values that are not {planned.type}"


def _relation(training_set: TrainingSet, project: Project) -> str:
    if not training_set.is_file:
        return relation_of(project, training_set.jinja)
    if not (project.root / training_set.text).is_file():
        raise NotBuilt("there is no such file")
    return training_set.relation(project.root)
