"""Compile, then let dbt build: the offline half of the road."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fsync.compile import CompileReport, compile_project
from fsync.dbt import DbtReport, Progress, run_dbt
from fsync.git import commit
from fsync.plan import View
from fsync.spec.project import Project
from fsync.warehouse.duckdb import Warehouse
from fsync.warehouse.profile import read_profile


@dataclass(frozen=True)
class BuiltView:
    """A feature table after a build.

    `events` were read; those of the source that have no entity, or no time that is one, were left out.
    """

    view: str
    hash: str
    table: str
    rows: int
    entities: int
    events: int
    without_entity: int
    without_time: int
    is_incremental: bool


@dataclass(frozen=True)
class BuildReport:
    """What `fsync build` did: the files it compiled, what dbt ran, and the tables that stand now."""

    compiled: CompileReport
    dbt: DbtReport
    views: tuple[BuiltView, ...]


def build_project(
    project: Project, *, target: str | None = None, full_refresh: bool = False, progress: Progress | None = None
) -> BuildReport:
    """Write what the specs compile to, run `dbt build`, and count the rows of each feature table.

    Raises:
        SpecErrors, InputError: before anything is written.
        BuildFailed, WarehouseOutOfReach: see `fsync.dbt.run_dbt`.
    """
    profile = read_profile(project, target)  # a wrong target is said before anything is written
    compiled = compile_project(project)
    command = ["build", "--full-refresh"] if full_refresh else ["build"]
    with _known_commit(project):
        report = run_dbt(project, command, target=profile.target, progress=progress)
    with Warehouse(profile) as warehouse:
        views = tuple(_built(view, warehouse) for view in compiled.plan.views)
    return BuildReport(compiled, report, views)


@contextmanager
def _known_commit(project: Project) -> Iterator[None]:
    """Let the registry know by which commit its versions are built, unless somebody has said so."""
    if "FSYNC_COMMIT" in os.environ or (sha := commit(project.root)) is None:
        yield
        return
    os.environ["FSYNC_COMMIT"] = sha
    try:
        yield
    finally:
        del os.environ["FSYNC_COMMIT"]


def _built(view: View, warehouse: Warehouse) -> BuiltView:
    table = warehouse.table(view)
    return BuiltView(
        view=view.name,
        hash=view.hash,
        table=table.name,
        rows=warehouse.count(table),
        entities=warehouse.entities(view, table),
        events=table.events,
        without_entity=table.without_entity,
        without_time=table.without_time,
        is_incremental=table.is_incremental,
    )
