"""The dbt project that fsync works in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from fsync.errors import InputError
from fsync.root import PROJECT_FILE, find_root
from fsync.spec.document import plain

SPECS: Final = "feature_specs"
#: below the specs: those of services
SERVICES: Final = "services"
#: below the first model path: where compiled models go
GENERATED: Final = "features"


@dataclass(frozen=True)
class Project:
    """A folder with a `dbt_project.yml`. Paths are relative to `root`."""

    root: Path
    name: str
    profile: str
    #: where dbt writes its artefacts
    target_path: str
    model_paths: tuple[str, ...]
    macro_paths: tuple[str, ...]
    #: where dbt's YAML can declare something that a feature reads: models, seeds, snapshots
    yaml_paths: tuple[str, ...]

    @property
    def specs(self) -> Path:
        return self.root / SPECS

    @property
    def generated(self) -> Path:
        return self.root / self.model_paths[0] / GENERATED

    @property
    def carries_package(self) -> bool:
        """Whether the macros stand in this project itself: in fsync's own repository, or a copy of the reference."""
        return self.name == "fsync" and (self.root / "macros" / PROJECT_FILE).is_file()

    def relative(self, path: Path) -> str:
        """How messages name a file: relative to the project, with forward slashes."""
        return path.relative_to(self.root).as_posix()


def open_project(folder: Path) -> Project:
    """Read the project at or above `folder`.

    Raises:
        InputError: when there is none, or its `dbt_project.yml` cannot be read.
    """
    folder = folder.expanduser().resolve()
    root = find_root(folder)
    if root is None:
        raise InputError(
            f"there is no {PROJECT_FILE} in {folder} or above it",
            "change to a dbt project, or name one with --project-dir; `fsync demo` makes one to look at",
        )
    try:
        settings = plain((root / PROJECT_FILE).read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, ValueError) as error:
        raise InputError(f"{root / PROJECT_FILE} cannot be read: {error}") from error
    if not isinstance(settings, Mapping) or not isinstance(settings.get("name"), str):
        raise InputError(f"{root / PROJECT_FILE} has no name", "a dbt project starts with `name: …`")
    models = _paths(settings, "model-paths", "models")
    others = (*_paths(settings, "seed-paths", "seeds"), *_paths(settings, "snapshot-paths", "snapshots"))
    profile = settings.get("profile")
    return Project(
        root=root,
        name=settings["name"],
        profile=profile if isinstance(profile, str) else settings["name"],
        target_path=str(os.environ.get("DBT_TARGET_PATH") or settings.get("target-path") or "target"),
        model_paths=models,
        macro_paths=_paths(settings, "macro-paths", "macros"),
        yaml_paths=(*models, *others),
    )


def _paths(settings: Mapping[str, Any], key: str, default: str) -> tuple[str, ...]:
    given = settings.get(key)
    if isinstance(given, list) and given and all(isinstance(path, str) for path in given):
        return tuple(given)
    return (default,)
