"""The specs, and what they compile to."""

from __future__ import annotations

from collections.abc import Iterator

from fsync.compile import check_compiled
from fsync.doctor.finding import Scene, State
from fsync.errors import GovernanceErrors, OutOfDate, SpecErrors
from fsync.spec.project import SPECS, Project


def look(scene: Scene) -> Iterator[tuple[State, str, str | None]]:
    """One finding for each fault of the specs; else whether the compiled files are up to date."""
    project = scene.project()
    if not _has_specs(project):
        yield "doubtful", f"there is no spec in {SPECS}/ yet", "`fsync new` begins one"
        return
    try:
        report = check_compiled(project)
    except (SpecErrors, GovernanceErrors) as error:
        for issue in error.issues:
            yield "broken", f"{issue.place}: {issue.message}", "; ".join(issue.notes) or "see docs/specs.md"
    except OutOfDate as error:
        paths = ", ".join(error.paths[:3]) + (f" and {len(error.paths) - 3} more" if len(error.paths) > 3 else "")
        yield "doubtful", f"{error}: {paths}", error.mend
    else:
        yield "fine", f"{report.features} features, and the compiled files are up to date", None


def _has_specs(project: Project) -> bool:
    return any(path.suffix in (".yml", ".yaml") for path in project.specs.rglob("*"))
