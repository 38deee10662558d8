"""The dbt project."""

from __future__ import annotations

from collections.abc import Iterator

from fsync.doctor.finding import Scene, State
from fsync.spec.project import open_project


def look(scene: Scene) -> Iterator[tuple[State, str, str | None]]:
    """Whether there is one."""
    found = open_project(scene.folder)
    yield "fine", f"{found.name} in {found.root}", None
