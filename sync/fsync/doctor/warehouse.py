"""The warehouse file: there, readable, and in a folder that dbt can write to."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from fsync.doctor.finding import Scene, State
from fsync.warehouse.duckdb import Warehouse


def look(scene: Scene) -> Iterator[tuple[State, str, str | None]]:
    """Whether dbt can write it and fsync read it. One that is missing is made by the first build."""
    profile = scene.profile()
    if (fault := _not_writable(profile.path)) is not None:
        yield "broken", fault, "give yourself the right to write there, or name another `path` in the profile"
    if not profile.path.is_file():
        yield "doubtful", f"there is no warehouse at {profile.path} yet", "run `fsync build`"
        return
    with Warehouse(profile):
        yield "fine", f"{profile.path} can be read", None


def _not_writable(path: Path) -> str | None:
    """Why dbt cannot write a file. The folder is tried out: rights alone say little of a full or read-only disk."""
    if not path.parent.is_dir():
        return f"the warehouse's folder {path.parent} is not there"
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        return f"the warehouse's folder {path.parent} cannot be written to: {error.strerror}"
    if path.exists() and not (path.is_file() and os.access(path, os.W_OK)):
        return f"the warehouse {path} cannot be written to"
    return None
