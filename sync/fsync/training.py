"""Training sets: labels with the features of their entities as of their times, each label once.

    import fsync
    fsync.train("labels.csv", timestamp="label_at", service="churn_model", project_dir=".")

The query is that of the macro `point_in_time`, so that a dbt model with it has the same rows.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
from sqlglot import exp

from fsync.compile import plan_project
from fsync.errors import InputError
from fsync.instant import END
from fsync.labels import ROW, Keys, Labelled, Labels, check_labels, label_column, open_labels
from fsync.macro import label_time, point_in_time
from fsync.plan import Member, Plan, View
from fsync.spec.project import open_project
from fsync.sql import instants
from fsync.sql.empty import empty_literal, empty_values
from fsync.sql.features import known_features
from fsync.warehouse.duckdb import Progress, Table, Warehouse
from fsync.warehouse.profile import read_profile
from fsync.whole import whole

#: the share of a view's entities that have labels, from which on looking for the others takes longer than it saves
_MANY: Final = 0.9


@dataclass(frozen=True)
class TrainingSet:
    """A training set that can be computed: its query, which gives rows in the order of the labels, and its parts."""

    query: str
    timestamp: str
    inclusive: bool
    members: tuple[Member, ...]
    tables: tuple[Table, ...]


@dataclass(frozen=True)
class FeatureSummary:
    """How much of a feature's column says something."""

    name: str
    view: str
    #: how many rows have its empty value
    empty: int


@dataclass(frozen=True)
class ViewSummary:
    """How the times of labels lie to what a view knows. Instants are epoch milliseconds."""

    name: str
    hash: str
    #: its first change, None where it has none; and when it was built
    first: int | None
    built_at: int
    #: labels of times that the first change is not before: all of their values are empty
    before_history: int
    #: labels later than the build: events before them may be missing yet
    after_build: int


@dataclass(frozen=True)
class TrainingReport:
    """What a training set holds. Instants are epoch milliseconds; None where there is no label with a time."""

    rows: int
    without_time: int
    first_label: int | None
    last_label: int | None
    features: tuple[FeatureSummary, ...]
    views: tuple[ViewSummary, ...]
    seconds: float


def train(
    labels: Labels,
    *,
    timestamp: str,
    features: Sequence[str] | None = None,
    service: str | None = None,
    keys: Keys | None = None,
    inclusive: bool = False,
    project_dir: str | Path = ".",
    target: str | None = None,
) -> pa.Table:
    """Labels with features, as an Arrow table; pandas, Polars and DuckDB take it as it is.

    Args:
        labels: a .csv or .parquet file, a table of the warehouse, a query over it, or a table of Arrow, pandas
            or Polars. Every row and column of it is in the result, in the same order.
        timestamp: the column with the time that is asked about. A feature is made of what happened before it.
        features: the names of features, in the order of the result's columns. Either these or a service.
        service: the name of a feature service.
        keys: which column of the labels has which column of an entity, where their names differ:
            {"user_id": "buyer_id"}, or for each view {"user_lifetime": {"user_id": "buyer_id"}}.
        inclusive: whether what happened at the very time of a label counts.
        project_dir: a folder of the dbt project.
        target: the target of dbt's profile; without one, the profile's.

    Returns:
        The labels' columns, then the features. A label of an unknown entity has the empty values, one without
        a time has NULL.

    Raises:
        InputError: when labels, columns or features are not there, or do not fit.
        NotBuilt: when the table of a view is missing or of another version.
    """
    project = open_project(Path(project_dir))
    plan = plan_project(project)
    with Warehouse(read_profile(project, target)) as warehouse:
        asked = training_set(warehouse, plan, labels, timestamp, features, service, keys, inclusive=inclusive)
        return warehouse.to_arrow(asked.query)


def training_set(
    warehouse: Warehouse,
    plan: Plan,
    labels: Labels,
    timestamp: str,
    features: Sequence[str] | None = None,
    service: str | None = None,
    keys: Keys | None = None,
    *,
    inclusive: bool = False,
) -> TrainingSet:
    """What `train` computes; see there for the arguments and errors.

    It is checked, and how many entities have labels is counted, but nothing is joined yet.
    """
    if isinstance(features, str):
        raise InputError("features are a list of names, and not a text")
    if (features is None) == (service is None):
        raise InputError("a training set has either features or a service")
    members = plan.service(service).members if service is not None else plan.members(tuple(features or ()))
    if not members:
        raise InputError("no feature is asked for")
    views = {member.view.name: member.view for member in members}
    tables = {name: warehouse.table(view) for name, view in views.items()}
    labelled = open_labels(labels, warehouse)
    check_labels(labelled, timestamp, members, keys or {})
    joined = point_in_time(
        f"(select *, row_number() over () as {ROW} from {labelled.relation})",
        timestamp,
        [member.planned.name for member in members],
        known_features(plan),
        lambda view: tables[view].sql,
        inclusive=inclusive,
        keys=keys,
        few=any(_are_few(warehouse, labelled, view, tables[name], keys or {}) for name, view in views.items()),
    )
    query = f"select * exclude ({ROW}) from (\n{joined}\n) order by {ROW}"
    return TrainingSet(query, timestamp, inclusive, members, tuple(tables.values()))


def _are_few(warehouse: Warehouse, labelled: Labelled, view: View, table: Table, keys: Keys) -> bool:
    """Whether labels are of few of a view's entities, as far as is quickly known."""
    if not labelled.is_stored:
        return True
    entity = [column.name for column in view.entity]
    of_labels = [label_column(column, view.name, keys) for column in entity]
    in_labels, in_table = (
        exp.select(exp.ApproxDistinct(this=exp.func("hash", *(exp.column(name, quoted=True) for name in names))))
        .from_(exp.maybe_parse(relation, into=exp.Table, dialect="duckdb"))
        .subquery()
        for names, relation in ((of_labels, labelled.relation), (entity, table.sql))
    )
    asked, known = warehouse.row(exp.select(in_labels, in_table).sql(dialect="duckdb"))
    return bool(asked < _MANY * known)


def write_training_set(
    warehouse: Warehouse, asked: TrainingSet, out: Path, progress: Progress | None = None
) -> TrainingReport:
    """Compute a training set into a Parquet file, in memory that does not grow with it.

    The file is there when it is whole: a run that is cut off leaves what was there before.
    """
    started = time.monotonic()
    with whole(out) as unfinished:
        warehouse.write_parquet(asked.query, unfinished, progress)
        return _report(warehouse, asked, _file(unfinished), started)


def _report(warehouse: Warehouse, asked: TrainingSet, result: str, started: float) -> TrainingReport:
    """One scan of what came out, and of the first changes of the views."""
    column = exp.column(asked.timestamp, quoted=True).sql(dialect="duckdb")
    at: exp.Expr = exp.maybe_parse(label_time(column), dialect="duckdb")
    first = {table.view: warehouse.first_change(table) for table in asked.tables}
    counts = [exp.Count(this=exp.Star()), exp.Count(this=at), instants.epoch_ms(exp.Min(this=at))]
    counts += [instants.epoch_ms(exp.Max(this=at)), *(_count_if(_is_empty(member)) for member in asked.members)]
    for table in asked.tables:
        # where a view has no row at all, every label is before its history
        found = first[table.view]
        start = END if found is None else found
        before = (exp.LT if asked.inclusive else exp.LTE)(this=at, expression=instants.timestamp(start))
        counts += [_count_if(before), _count_if(exp.GT(this=at, expression=instants.timestamp(table.built_at)))]
    query = exp.select(*counts).from_(exp.maybe_parse(result, into=exp.Table, dialect="duckdb"))
    rows, with_time, earliest, latest, *numbers = warehouse.row(query.sql(dialect="duckdb"))
    of_features, of_views = numbers[: len(asked.members)], numbers[len(asked.members) :]
    return TrainingReport(
        rows=rows,
        without_time=rows - with_time,
        first_label=earliest,
        last_label=latest,
        features=tuple(
            FeatureSummary(member.planned.name, member.view.name, empty)
            for member, empty in zip(asked.members, of_features, strict=True)
        ),
        views=tuple(
            ViewSummary(table.view, table.hash, first[table.view], table.built_at, before, after)
            for table, before, after in zip(asked.tables, of_views[::2], of_views[1::2], strict=True)
        ),
        seconds=time.monotonic() - started,
    )


def _is_empty(member: Member) -> exp.Expr:
    empties = zip(member.view.features, empty_values(member.view), strict=True)
    empty = next(value for planned, value in empties if planned is member.planned)
    literal = empty_literal(empty, member.planned.type)
    return exp.NullSafeEQ(this=exp.column(member.planned.name), expression=literal)


def _count_if(condition: exp.Expr) -> exp.Expr:
    return exp.Filter(this=exp.Count(this=exp.Star()), expression=exp.Where(this=condition))


def _file(path: Path) -> str:
    return exp.Anonymous(this="read_parquet", expressions=[exp.Literal.string(str(path))]).sql(dialect="duckdb")
