"""The dbt package of fsync's macros: that the project has it, and that it is of this fsync's version."""

from __future__ import annotations

from collections.abc import Iterator

from fsync import __version__
from fsync.adopting.package import (
    FOLDER,
    Entry,
    find_entry,
    install_folder,
    is_as_packaged,
    is_older,
    is_outdated,
    is_vendored,
    version_of,
)
from fsync.doctor.finding import Scene, State
from fsync.spec.project import Project


def look(scene: Scene) -> Iterator[tuple[State, str, str | None]]:
    """One finding: the first that keeps compiled models from calling the macros that they were made for."""
    project = scene.project()
    if project.carries_package:
        yield "fine", "the macros are the project's own", None
        return
    entry = find_entry(project)
    if entry is None:
        yield "broken", "the project's packages do not name fsync's", "run `fsync init`"
        return
    installed = version_of(install_folder(project))
    if installed is None:
        yield "broken", f"{entry.file} names fsync's package ({entry}), and it is not installed", "run `dbt deps`"
    elif installed != __version__:
        message = f"the macros that dbt has are of fsync {installed}, and this is fsync {__version__}"
        yield "broken", message, _mend(project, entry, installed)
    elif not is_as_packaged(install_folder(project)):
        yield _changed(project, entry)
    else:
        yield "fine", f"the macros of fsync {installed} ({entry})", None


def _changed(project: Project, entry: Entry) -> tuple[State, str, str]:
    """Of this fsync's version, and other files than its own."""
    vendored = project.root / FOLDER
    if not is_vendored(project, entry):
        message = f"the macros that dbt has ({entry}) are not quite those of fsync {__version__}"
        return "doubtful", message, "name the revision of this very version, then run `dbt deps`"
    if is_outdated(vendored, __version__):
        message = f"the macros in {FOLDER}/ are of another build of fsync {__version__}"
        return "broken", message, "run `fsync init`, then `dbt deps`"
    if is_as_packaged(vendored):
        return "broken", f"dbt has older macros than those in {FOLDER}/", "run `dbt deps`"
    message = f"the macros in {FOLDER}/ have been changed since fsync {__version__} put them there"
    return "doubtful", message, f"delete {FOLDER}/ and run `fsync init` to have them as they were"


def _mend(project: Project, entry: Entry, installed: str) -> str:
    if not is_older(installed, __version__):
        return f"install fsync {installed} in Python"
    if not is_vendored(project, entry):
        return f"let the entry in {entry.file} name fsync {__version__}, then run `dbt deps`"
    if version_of(project.root / FOLDER) == __version__:
        return "run `dbt deps`"
    return "run `fsync init`, then `dbt deps`"
