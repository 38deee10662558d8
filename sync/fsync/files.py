"""Plan to files: every file that `fsync compile` writes, as text; and what differs on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fsync.errors import InputError
from fsync.plan import Plan
from fsync.properties import exposure, macro_properties, registry_properties, view_properties
from fsync.registry import tables
from fsync.spec.project import SERVICES, Project
from fsync.spec.source import GENERATED_MARK, is_generated
from fsync.sql.features import features_macro
from fsync.sql.macros import macro_files
from fsync.sql.model import model_sql

_FROM_SPECS: Final = f"{GENERATED_MARK} the specs in feature_specs/: change those, then run `fsync compile`."
_FROM_CODE: Final = f"{GENERATED_MARK} its transformations: change those, then run `fsync compile`."


@dataclass(frozen=True)
class Difference:
    """What `fsync compile` would do, or did: paths relative to the project, in their order."""

    written: tuple[str, ...]
    deleted: tuple[str, ...]
    unchanged: int

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(sorted((*self.written, *self.deleted)))


def compiled_files(plan: Plan, project: Project) -> Mapping[str, str]:
    """Path relative to the project → text, for all that the plan compiles to."""
    models = project.relative(project.generated)
    files: dict[str, str] = {}
    for view in plan.views:
        files[f"{models}/{view.name}.sql"] = f"-- {_FROM_SPECS}\n--\n{model_sql(view)}"
        files[f"{models}/{view.name}.yml"] = f"# {_FROM_SPECS}\n{view_properties(view, plan.services)}"
    for table in tables.TABLES:
        text = tables.model_sql(table, plan.views)
        files[f"{models}/{tables.FOLDER}/fsync_registry_{table.name}.sql"] = f"-- {_FROM_SPECS}\n{text}"
    files[f"{models}/{tables.FOLDER}/_registry.yml"] = f"# {_FROM_SPECS}\n{registry_properties()}"
    for service in plan.services:
        files[f"{models}/{SERVICES}/{service.name}.yml"] = f"# {_FROM_SPECS}\n{exposure(service)}"
    files[f"{project.relative(_own_macros(project))}/fsync_features.sql"] = (
        f"{{# {_FROM_SPECS} #}}\n{features_macro(plan)}"
    )
    if project.carries_package:
        files |= {
            f"macros/transformations/{name}": f"{{# {_FROM_CODE} #}}\n{text}" for name, text in macro_files().items()
        }
        files["macros/transformations/_macros.yml"] = f"# {_FROM_CODE}\n{macro_properties()}"
    return files


def compare(files: Mapping[str, str], project: Project) -> Difference:
    """What writing `files` would change.

    Raises:
        InputError: when a file that would be written stands there, and fsync did not write it.
    """
    changed, unchanged = [], 0
    for name, text in sorted(files.items()):
        there = _text(project.root / name)
        if there == text:
            unchanged += 1
            continue
        if there is not None and not is_generated(there):
            raise InputError(
                f"{name} stands there already, and was not written by fsync",
                "move it, or give the view another name with `view:` in its specs",
            )
        changed.append(name)
    return Difference(tuple(changed), tuple(_left_over(files, project)), unchanged)


def write(files: Mapping[str, str], project: Project) -> Difference:
    """Make the disk hold `files`, and no older file of fsync's beside them."""
    difference = compare(files, project)
    try:
        for name in difference.written:
            path = project.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            # beside it, then moved: a reader sees the old text or the new, never half of one
            beside = path.with_name(f".{path.name}.new")
            beside.write_text(files[name], encoding="utf-8", newline="\n")
            beside.replace(path)
        for name in difference.deleted:
            (project.root / name).unlink()
    except OSError as error:
        raise InputError(f"the compiled files cannot be written: {error}") from error
    return difference


def _left_over(files: Mapping[str, str], project: Project) -> list[str]:
    """Files of an earlier compilation whose view is gone."""
    folders = [
        project.generated,
        project.generated / SERVICES,
        project.generated / tables.FOLDER,
        _own_macros(project),
    ]
    if project.carries_package:
        folders.append(project.root / "macros" / "transformations")
    found = (path for folder in folders if folder.is_dir() for path in sorted(folder.iterdir()))
    return [
        name
        for path in found
        if path.suffix in (".sql", ".yml") and (name := project.relative(path)) not in files
        if is_generated(_text(path) or "")
    ]


def _own_macros(project: Project) -> Path:
    """Where the project keeps macros of its own, apart from a package that it carries."""
    return project.root / project.macro_paths[-1]


def _text(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8", errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", "it stands where fsync writes") from error
