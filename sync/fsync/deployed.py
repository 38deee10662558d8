"""What is deployed: the tables that stand in the warehouse, what the store serves, what registry and history say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, fields
from typing import Final

from sqlglot import exp

from fsync import pushed, wire
from fsync.errors import FsyncError, InputError, NotBuilt
from fsync.registry.records import FeatureRecord
from fsync.spec.project import Project
from fsync.store import open_store
from fsync.warehouse.duckdb import Table, Warehouse
from fsync.warehouse.profile import read_profile

FEATURES: Final = "fsync_registry_features"
BUILDS: Final = "fsync_registry_builds"
#: every check that `fsync watch` made
CHECKS: Final = "fsync_watch"


@dataclass(frozen=True)
class Build:
    """One build of a view, of the registry's history. `built_at` is when it began, in epoch milliseconds.

    `seconds` is how long it took; None where that is not known.
    """

    view: str
    hash: str
    built_at: int
    events: int | None
    rows: int | None
    seconds: float | None
    is_incremental: bool


@dataclass(frozen=True)
class Built:
    """The warehouse, as far as it can be read: by view, its newest table; by feature, what the registry says.

    `builds` are the last ones first. `problem` says why there is nothing, where there is none.
    """

    tables: Mapping[str, Table]
    features: Mapping[str, FeatureRecord]
    builds: tuple[Build, ...] = ()
    problem: str | None = None


@dataclass(frozen=True)
class LastCheck:
    """The last check of one signal of a feature on one side. `watched_at` is the instant looked at, in milliseconds."""

    signal: str
    side: str
    verdict: str
    watched_at: int
    sentence: str


@dataclass(frozen=True)
class Served:
    """The online store, as far as it can be read: the meta of every view that is served.

    `store` is what the history calls it: its name, and the prefix of its keys where that is another than usual.
    """

    metas: Mapping[str, wire.Meta]
    problem: str | None = None
    store: str = ""


def built(project: Project, target: str | None = None) -> Built:
    """What the warehouse holds. What keeps it from being read is the result's `problem`: nobody needs it to go on."""
    try:
        with Warehouse(read_profile(project, target)) as warehouse:
            return built_in(warehouse)
    except FsyncError as error:
        return Built({}, {}, problem=str(error))


def built_in(warehouse: Warehouse) -> Built:
    """What an open warehouse holds."""
    return Built(warehouse.newest_tables(), _features(warehouse), _builds(warehouse))


def _features(warehouse: Warehouse) -> Mapping[str, FeatureRecord]:
    names = [field.name for field in fields(FeatureRecord)]
    columns = ", ".join(f"cast({name} as varchar)" for name in names)
    with suppress(NotBuilt, InputError):  # a registry that is not built, or of another fsync
        rows = warehouse.rows(f"select {columns} from {_table(warehouse, FEATURES)}")
        return {row[0]: FeatureRecord(*row) for row in rows}
    return {}


def _builds(warehouse: Warehouse) -> tuple[Build, ...]:
    columns = "view_name, hash, epoch_ms(built_at), events, rows_built, seconds, is_incremental"
    with suppress(NotBuilt, InputError):
        query = f"select {columns} from {_table(warehouse, BUILDS)} order by built_at desc"
        return tuple(Build(*row) for row in warehouse.rows(query))
    return ()


def _table(warehouse: Warehouse, name: str) -> str:
    # with its schema: where the target has none yet, another target's would be found
    return exp.table_(name, db=warehouse.schema, quoted=True).sql(dialect="duckdb")


def store_name(store: str, prefix: str) -> str:
    """What the history calls a store that is watched: its name, and the prefix of its keys where it is another."""
    return store if prefix == wire.PREFIX else f"{store} ({prefix})"


def last_checks(project: Project, feature: str, store: str, target: str | None = None) -> tuple[LastCheck, ...]:
    """The last check of each signal and side of a feature; none where it was never watched.

    Args:
        store: of which the checks online are: `Served.store`.

    Raises:
        NotBuilt, WarehouseOutOfReach: when the warehouse cannot be read.
    """
    last = ", ".join(f"arg_max({column}, watched_at)" for column in ("verdict", "epoch_ms(watched_at)", "sentence"))
    name, of = (exp.Literal.string(text).sql(dialect="duckdb") for text in (feature, store))
    with Warehouse(read_profile(project, target)) as warehouse, suppress(InputError):  # where nobody has watched yet
        table = _table(warehouse, CHECKS)
        which = f"feature = {name} and (side = 'offline' or store = {of})"
        query = f"select signal, side, {last} from {table} where {which} group by all order by signal, side"
        return tuple(LastCheck(*row) for row in warehouse.rows(query))
    return ()


def served(views: Iterable[str], url: str, prefix: str) -> Served:
    """What a store serves of views. What keeps it from being read is the result's `problem`."""
    name = ""
    try:
        with closing(open_store(url)) as store:
            name = store_name(store.name, prefix)
            found = {view: pushed.served(store, prefix, view) for view in views}
    except FsyncError as error:
        return Served({}, str(error), name)
    return Served({view: meta for view, meta in found.items() if meta is not None}, store=name)
