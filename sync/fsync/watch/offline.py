"""Looking at a view's table: what can be counted is counted of all entities, what is compared is a sample of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from fsync.data_tests import is_comparable, is_file, relation
from fsync.dbt import relation_of
from fsync.errors import InputError, NotBuilt
from fsync.plan import Plan, Planned, View
from fsync.spec.project import Project
from fsync.sql import watched
from fsync.sql.events import instant_of
from fsync.sql.instants import epoch_ms, timestamp
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
    query = watched.counts_query(view, table.sql, at)
    counts = warehouse.rows(query.sql)
    entities = query.entities(counts)
    compared = [one for one in view.features if one.monitors.drift is not None and is_comparable(one)]
    earlier = {one.name: one.monitors.drift_baseline.instant(at) for one in compared}
    instants = [at, *sorted({instant for instant in earlier.values() if instant is not None})]
    rows = warehouse.to_arrow(
        watched.sample_query(view, table.sql, instants, max(1, entities // sample), compared)
    ).combine_chunks()
    held = [rows.filter(rows[f"{watched.FLAG}{number}"]) for number in range(len(instants))]
    before = {
        one.name: values_of(held[instants.index(instant)], one, instants.index(instant))
        for one in compared
        if (instant := earlier[one.name]) is not None
    }
    training, missing = _training(compared, project, plan, warehouse, sample)
    return Offline(
        built_at=table.built_at,
        newest_event=_newest_event(view, project, table, warehouse, at),
        entities=entities,
        counted={name: Counted(should, missing) for name, should, missing in query.counted(counts)},
        values={one.name: values_of(held[0], one) for one in compared},
        before={**before, **training},
        missing=missing,
        keys=tuple(_keys(_spread(held[0], PROBES), view)),
    )


def values_of(rows: pa.Table, planned: Planned, number: int = 0) -> Values:
    """The values of a feature among rows, as of one of their instants."""
    column = pc.drop_null(rows[watched.columns_of(planned, number)])
    if watched.kind_of(planned) == "category":
        counts = pc.value_counts(column).to_pylist()
        return {one["values"]: one["counts"] for one in counts}
    numbers: Numbers = column.to_numpy(zero_copy_only=False)
    return numbers


def _spread(rows: pa.Table, most: int) -> pa.Table:
    """Rows from all over a table, which may be in an order: the first ones would be of one kind."""
    if rows.num_rows <= most:
        return rows
    return rows.take(pa.array(range(0, rows.num_rows, -(-rows.num_rows // most))))


def _keys(rows: pa.Table, view: View) -> Iterable[Any]:
    columns = [rows[column.name].to_pylist() for column in view.entity]
    return columns[0] if len(columns) == 1 else zip(*columns, strict=True)


def _newest_event(view: View, project: Project, table: Table, warehouse: Warehouse, at: int) -> int | None:
    """The newest event before an instant. The table knows its newest; of an earlier instant, the source does."""
    if table.newest_event is None or table.newest_event < at:
        return table.newest_event
    with suppress(NotBuilt, InputError):  # the source is elsewhere, or is gone
        happened = instant_of(view.event_time)
        source = exp.alias_(
            exp.to_table(relation_of(project, view.source.jinja), dialect="duckdb"), "source", table=True
        )
        query = exp.select(epoch_ms(exp.Max(this=happened))).from_(source)
        (newest,) = warehouse.row(watched.rendered(query.where(exp.LT(this=happened.copy(), expression=timestamp(at)))))
        return None if newest is None else int(newest)
    return table.newest_event


def _training(
    compared: Sequence[Planned], project: Project, plan: Plan, warehouse: Warehouse, sample: int
) -> tuple[Mapping[str, Values], Mapping[str, str]]:
    """Values of the training sets that are baselines; and why some have none."""
    values: dict[str, Values] = {}
    missing: dict[str, str] = {}
    by_service: dict[str, list[Planned]] = {}
    for one in compared:
        if (service := one.monitors.drift_baseline.service) is not None:
            by_service.setdefault(service, []).append(one)
    for name, features in by_service.items():
        training_set = plan.service(name).training_set
        assert training_set is not None  # the check `baselines_exist`
        try:
            rows = warehouse.to_arrow(
                watched.training_query(_relation(training_set, project), features, sample)
            ).combine_chunks()
            values |= {one.name: values_of(rows, one) for one in features}
        except (NotBuilt, InputError) as error:
            missing |= dict.fromkeys((one.name for one in features), f"{training_set} cannot be read: {error}")
    return values, missing


def _relation(training_set: str, project: Project) -> str:
    if not is_file(training_set):
        return relation_of(project, relation(training_set))
    path = Path(training_set)
    if not (project.root / path).is_file():
        raise InputError("there is no such file")
    return relation(str(project.root / path))
