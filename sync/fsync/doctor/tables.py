"""The tables that dbt has built from the specs."""

from __future__ import annotations

from collections.abc import Iterator

from fsync.compile import plan_project
from fsync.doctor.finding import Scene, Skip, State
from fsync.errors import InputError, NotBuilt, OutOfReach
from fsync.warehouse.duckdb import Warehouse


def look(scene: Scene) -> Iterator[tuple[State, str, str | None]]:
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
        raise Skip("there are no specs and warehouse yet that can be read") from None
    if not missing:
        yield "fine", f"{len(plan.views)} views are built as their specs say", None
