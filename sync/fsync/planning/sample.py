"""How much a change of a view changes: its new values beside its old table, of some entities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fsync.dbt import relation_of
from fsync.errors import FsyncError
from fsync.language.types import DOUBLE
from fsync.macro import model_query
from fsync.plan import Planned, View
from fsync.spec.project import Project
from fsync.sql.empty import empty_literal, empty_values
from fsync.sql.engines import duckdb
from fsync.sql.instants import timestamp
from fsync.warehouse.duckdb import Table, Warehouse

#: entities that are looked at, unless somebody says how many
ENTITIES: Final = 1_000


@dataclass(frozen=True)
class Sample:
    """What some entities' histories would be.

    `shares` has, by feature, how many of its values differ, from 0 to 1, at `instants`: all those at which a row of an
    entity in the old table begins. A feature whose type is of another kind now is not in it.
    """

    entities: int
    instants: int
    #: what the whole table would have, if those of other entities grow or shrink as theirs
    rows: int
    shares: Mapping[str, float]
    problem: str | None = None


def sampled(
    view: View, table: Table, features: Sequence[str], warehouse: Warehouse, project: Project, entities: int = ENTITIES
) -> Sample:
    """Compute a view anew for some entities, and compare features with the table that stands.

    Args:
        features: the names of those to compare, which the view and the table have both.

    Why it cannot be done is the result's `problem`: a source that is not built yet, or has not got a column yet.
    """
    kinds = dict(warehouse.columns(f"select * from {table.sql}"))
    compared = [planned for planned in view.features if planned.name in features and _comparable(planned, kinds)]
    try:
        source = relation_of(project, view.source.jinja)
        row = warehouse.row(_query(view, table, compared, source, entities))
    except FsyncError as error:
        return Sample(0, 0, 0, {}, str(error))
    found, all_rows, old_rows, new_rows, instants, *differing = row
    counts = zip((planned.name for planned in compared), differing, strict=True)
    shares = {name: (count or 0) / instants if instants else 0.0 for name, count in counts}
    return Sample(found, instants, round(all_rows * new_rows / old_rows) if old_rows else new_rows, shares)


def _comparable(planned: Planned, kinds: Mapping[str, str]) -> bool:
    """Whether the old column holds values of the kind of the new ones."""
    old = kinds.get(planned.name, "").lower()
    if planned.type.is_number:
        return old.startswith(("bigint", "decimal", "double"))
    return old == str(planned.type)


def _query(view: View, table: Table, compared: Sequence[Planned], source: str, entities: int) -> str:
    keys = ", ".join(column.name for column in view.entity)
    is_sampled = f"({keys}) in (select {keys if len(view.entity) == 1 else f'({keys})'} from fsync_sampled)"
    model = model_query(view, source, is_sampled)
    empties = dict(zip((planned.name for planned in view.features), empty_values(view), strict=True))
    same = " and ".join(f"fsync_moments.{column.name} = fsync_new.{column.name}" for column in view.entity)
    columns = "".join(f", count(*) filter (where {_differs(planned, empties[planned.name])})" for planned in compared)
    built_at = duckdb.render(timestamp(table.built_at))
    return f"""
with fsync_sampled as materialized (
    select distinct {keys} from {table.sql} order by hash({keys}), {keys} limit {entities:d}
),
fsync_new as materialized ({model}),
fsync_old as materialized (from {table.sql} where {is_sampled}),
fsync_moments as (
    select *, valid_from + interval 1 millisecond as fsync_at from fsync_old where valid_from < {built_at}
)
select
    (select count(*) from fsync_sampled), (select count(*) from {table.sql}), (select count(*) from fsync_old),
    (select count(*) from fsync_new), count(*){columns}
from fsync_moments
asof left join fsync_new on {same} and fsync_moments.fsync_at > fsync_new.valid_from"""


def _differs(planned: Planned, empty: object) -> str:
    """Whether the old value is another one than the new; an entity without a row has the empty value."""
    old = f"fsync_moments.{planned.name}"
    nothing = duckdb.render(empty_literal(empty, planned.type), pretty=False)
    new = f"(case when fsync_new.valid_from is null then {nothing} else fsync_new.{planned.name} end)"
    if planned.type != DOUBLE:
        return f"{old} is distinct from {new}"
    # sums of DOUBLE are the same but for their last digits
    return f"({old} is null) <> ({new} is null) or abs({old} - {new}) > 1e-9 * greatest(abs({old}), abs({new}))"
