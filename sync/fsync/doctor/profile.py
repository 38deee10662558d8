"""dbt's profile: that it names a warehouse, and that what fsync relies on is set there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from fsync.dbt import find_profiles
from fsync.doctor.finding import Scene, State
from fsync.errors import InputError
from fsync.spec.document import plain
from fsync.spec.project import Project
from fsync.warehouse.profile import Profile, read_profile

_SECRET: Final = re.compile(r"passw|secret|token|credential|api_?key|access_key|^pass$", re.IGNORECASE)
#: a password in a URL, or in a setting of a connection
_SECRET_IN_TEXT: Final = re.compile(
    r"(://[^/:@\s]*:)[^@/\s]+(?=@)|(\b(?:password|secret|[a-z_]*token)=)[^&;\s'\"]+", re.IGNORECASE
)
#: these say how to find a secret, and are none
_NOT_SECRET: Final = frozenset({"use_credential_provider", "secret_provider", "access_token_name"})


def look(scene: Scene) -> Iterator[tuple[State, str, str | None]]:
    """Whether the target can be read; then one finding for each setting that is not as it should be."""
    project = scene.project()
    file = find_profiles(project)
    outputs = _outputs(project, file)
    found = _read(project, scene.target)
    output = outputs[found.target]
    faults = [*_settings(output), *_secrets(outputs, is_shared=file.is_relative_to(project.root))]
    for state, message, mend in faults:
        yield state, f"target {found.target!r} in {file.name}: {message}", mend
    if not faults:
        yield "fine", f"target {found.target!r} of {project.profile!r} in {file}", None


def _outputs(project: Project, file: Path) -> Mapping[str, Any]:
    """The targets; empty where they cannot be told, and `read_profile` says why."""
    try:
        profiles = plain(file.read_text(encoding="utf-8"))
    except yaml.MarkedYAMLError as error:
        # neither PyYAML's words nor the line: a password may be in them
        line = f": see its line {error.problem_mark.line + 1}" if error.problem_mark is not None else ""
        raise InputError(f"{file} is not YAML{line}") from None
    except (OSError, ValueError, yaml.YAMLError):
        raise InputError(f"{file} cannot be read") from None
    chosen = profiles.get(project.profile) if isinstance(profiles, Mapping) else None
    outputs = chosen.get("outputs") if isinstance(chosen, Mapping) else None
    return outputs if isinstance(outputs, Mapping) else {}


def _read(project: Project, target: str | None) -> Profile:
    try:
        return read_profile(project, target)
    except InputError as error:  # the path that it shows can have a token in it
        raise InputError(_SECRET_IN_TEXT.sub(r"\1\2…", str(error)), error.mend) from None


# ---------------------------------------------------------------- settings


def _settings(output: Mapping[str, Any]) -> Iterator[tuple[State, str, str]]:
    keep_open = output.get("keep_open", True)
    if isinstance(keep_open, str):
        yield "doubtful", "whether keep_open is false cannot be told from here", "write `keep_open: false`"
    elif keep_open:
        yield "broken", "dbt keeps the warehouse open, and so locked, after a build", "write `keep_open: false`"
    zone = _lowered(output, "settings").get("timezone", "")
    if str(zone).lower() not in ("utc", "etc/utc"):
        message = "times with a zone are converted to this machine's, and fsync's are UTC"
        yield "broken", message, "write `settings: {TimeZone: UTC}`"
    if not _retries(_mapping(output, "retries")):
        message = "a build fails if another process has the warehouse open for a moment"
        yield "broken", message, "write `retries: {connect_attempts: 2, retryable_exceptions: [IOException]}`"
    if "storage_compatibility_version" not in _mapping(output, "config_options"):
        message = "older DuckDB clients cannot open the warehouse"
        yield "doubtful", message, "write `config_options: {storage_compatibility_version: v1.5.0}`"


def _retries(retries: Mapping[str, Any]) -> bool:
    # dbt-duckdb's own defaults: one attempt, and IOException
    attempts, exceptions = retries.get("connect_attempts", 1), retries.get("retryable_exceptions", ["IOException"])
    enough = isinstance(attempts, str) or (isinstance(attempts, int) and attempts > 1)
    return enough and isinstance(exceptions, list) and "IOException" in exceptions


def _mapping(output: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = output.get(key)
    return found if isinstance(found, Mapping) else {}


def _lowered(output: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    return {str(name).lower(): value for name, value in _mapping(output, key).items()}


# ---------------------------------------------------------------- secrets


def _secrets(outputs: Mapping[str, Any], *, is_shared: bool) -> Iterator[tuple[State, str, str]]:
    """Where a secret stands in clear: the keys that lead to it, never what it is."""
    state: State = "broken" if is_shared else "doubtful"
    for way in dict.fromkeys(_in_clear(outputs, ())):
        yield (
            state,
            f"{'.'.join(way)} has a secret in clear" + (", in the project's own folder" if is_shared else ""),
            "write \"{{ env_var('DBT_ENV_SECRET_…') }}\" in its place, and change what has been seen",
        )


def _in_clear(value: Any, way: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _in_clear(inner, (*way, str(key)))
    elif isinstance(value, list):
        for inner in value:
            yield from _in_clear(inner, way)
    elif (
        isinstance(value, str | int) and not isinstance(value, bool) and _is_secret(str(value), way[-1] if way else "")
    ):
        yield way


def _is_secret(text: str, key: str) -> bool:
    if not text or "{{" in text:
        return False
    return bool((key not in _NOT_SECRET and _SECRET.search(key)) or _SECRET_IN_TEXT.search(text))
