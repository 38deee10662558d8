"""Where dbt's profile says the warehouse is, found without loading dbt."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from jinja2 import StrictUndefined
from jinja2.exceptions import TemplateError
from jinja2.sandbox import SandboxedEnvironment

from fsync.dbt import PROFILES_FILE, find_profiles
from fsync.errors import InputError
from fsync.spec.document import plain
from fsync.spec.project import Project


@dataclass(frozen=True)
class Profile:
    """The target that dbt builds into."""

    target: str
    path: Path
    schema: str


def read_profile(project: Project, target: str | None = None) -> Profile:
    """The project's target: the one named, else `DBT_TARGET`, else the profile's default.

    Raises:
        InputError: when there is no such profile or target, or it is not DuckDB's.
    """
    target, output, file = _output(project, target)
    if output.get("type") != "duckdb":
        raise InputError(f"the target {target!r} is of type {output.get('type')!r}; fsync reads duckdb")
    path = _rendered(output.get("path") or ":memory:", file)
    if path == ":memory:" or "://" in path or path.startswith("md:"):
        shown = path.partition("?")[0]  # what follows may be a token
        raise InputError(f"the target {target!r} has the path {shown!r}; fsync reads a database file")
    # dbt runs in the project's folder, and a relative path is relative to that
    schema = _rendered(output.get("schema") or "main", file)
    return Profile(target, project.root / Path(path).expanduser(), schema)


def adapter_of(project: Project, target: str | None = None) -> str:
    """Which of dbt's adapters the project's target has: duckdb, postgres… Raises InputError for no such target."""
    target, output, _ = _output(project, target)
    return str(output.get("type"))


def _output(project: Project, target: str | None) -> tuple[str, Mapping[str, Any], Path]:
    """A target's name, what the profile says of it, and the profile's file."""
    file = find_profiles(project)
    try:
        profiles = plain(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{file} cannot be read: {error}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = "" if mark is None else f", line {mark.line + 1}"
        # PyYAML's own message shows the line, which may hold a password
        what = getattr(error, "problem", None) or "it cannot be parsed"
        raise InputError(f"{file}{where} is not YAML: {what}") from None
    profile = profiles.get(project.profile) if isinstance(profiles, Mapping) else None
    if not isinstance(profile, Mapping) or not isinstance(profile.get("outputs"), Mapping):
        raise InputError(f"{file} has no profile {project.profile!r}", "it is named in dbt_project.yml")
    target = target or os.environ.get("DBT_TARGET") or _rendered(profile.get("target", "default"), file)
    output = profile["outputs"].get(target)
    if not isinstance(output, Mapping):
        known = ", ".join(sorted(map(str, profile["outputs"])))
        raise InputError(f"the profile {project.profile!r} has no target {target!r}", f"it has: {known}")
    return target, output, file


def _rendered(value: object, file: Path) -> str:
    """A value of the profile with its `{{ env_var('…', 'default') }}` filled in."""
    environment = SandboxedEnvironment(undefined=StrictUndefined)
    try:
        return environment.from_string(str(value)).render(env_var=_env_var)
    except (TemplateError, ArithmeticError, TypeError, ValueError, LookupError, AttributeError) as error:
        raise InputError(f"{file}: {value} cannot be rendered: {error}") from error


def _env_var(name: str, default: Any = None) -> str:
    found = os.environ.get(name, default)
    if found is None:
        raise InputError(f"{PROFILES_FILE} asks for the environment variable {name}, which is not set")
    return str(found)
