"""The specs, what they compile to, and the tables that dbt has built from that."""

from __future__ import annotations

from collections.abc import Iterator

from fsync.compile import check_compiled, plan_project
from fsync.doctor.finding import Scene, Skip, State
from fsync.errors import InputError, NotBuilt, OutOfDate, OutOfReach, SpecErrors
from fsync.spec.project import SPECS, Project
from fsync.warehouse.duckdb import Warehouse


def specs(scene: Scene) -> Iterator[tuple[State, str, str | None]]:
    """One finding for each fault of the specs; else whether the compiled files are up to date."""
    project = scene.project()
    if not _has_specs(project):
        yield "doubtful", f"there is no spec in {SPECS}/ yet", "write one: see docs/specs.md"
        return
    try:
        report = check_compiled(project)
    except SpecErrors as error:
        for issue in error.issues:
            yield "broken", f"{issue.place}: {issue.message}", "; ".join(issue.notes) or "see docs/specs.md"
    except OutOfDate as error:
        paths = ", ".join(error.paths[:3]) + (f" and {len(error.paths) - 3} more" if len(error.paths) > 3 else "")
        yield "doubtful", f"{error}: {paths}", error.mend
    else:
        yield "fine", f"{report.features} features, and the compiled files are up to date", None


def tables(scene: Scene) -> Iterator[tuple[State, str, str | None]]:
    """One finding for each view without a table of its version."""
    project, profile = scene.project(), scene.profile()
    try:
        plan = plan_project(project)
        with Warehouse(profile) as warehouse:
            missing = 0
            for view in plan.views:
                try:
                    warehouse.table(view)
                except NotBuilt as error:
                    missing += 1
                    yield "doubtful", str(error), error.mend
    except (InputError, OutOfReach):
        raise Skip("the specs or the warehouse cannot be read") from None
    if not missing:
        yield "fine", f"{len(plan.views)} views are built as their specs say", None


def _has_specs(project: Project) -> bool:
    return any(path.suffix in (".yml", ".yaml") for path in project.specs.rglob("*"))
