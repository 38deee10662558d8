"""Plan to files: every file that `fsync compile` writes, as text; and what differs on disk."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from fsync.errors import InputError
from fsync.plan import Plan, Planned, View
from fsync.root import PROJECT_FILE
from fsync.spec.project import Project
from fsync.spec.source import GENERATED_MARK, is_generated
from fsync.sql import jinja
from fsync.sql.empty import empty_values
from fsync.sql.macros import macro_docs, macro_files
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
        files[f"{models}/{view.name}.yml"] = f"# {_FROM_SPECS}\n{_yaml({'models': [_properties(view)]})}"
    if _carries_package(project):
        files |= {
            f"macros/transformations/{name}": f"{{# {_FROM_CODE} #}}\n{text}" for name, text in macro_files().items()
        }
        files["macros/transformations/_macros.yml"] = f"# {_FROM_CODE}\n{_yaml({'macros': macro_docs()})}"
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
    folders = [project.generated]
    if _carries_package(project):
        folders.append(project.root / "macros" / "transformations")
    found = (path for folder in folders if folder.is_dir() for path in sorted(folder.iterdir()))
    return [
        name
        for path in found
        if path.suffix in (".sql", ".yml") and (name := project.relative(path)) not in files
        if is_generated(_text(path) or "")
    ]


def _carries_package(project: Project) -> bool:
    """Whether the macros stand in this project itself, rather than in an installed dbt package."""
    return project.name == "fsync" and (project.root / "macros" / PROJECT_FILE).is_file()


def _text(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8", errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", "it stands where fsync writes") from error


# ---------------------------------------------------------------- dbt's YAML


def _properties(view: View) -> dict[str, Any]:
    keys = [column.name for column in view.entity]
    empties = dict(zip((planned.name for planned in view.features), empty_values(view), strict=True))
    return {
        "name": view.name,
        "description": (
            f"Features of {', '.join(keys)} from {view.source.name}, one row for each change: "
            "as of t, the row with valid_from < t <= valid_to holds."
        ),
        "config": {
            "contract": {"enforced": True},
            "persist_docs": {"columns": True},
            "meta": {"fsync": _meta(view, keys)},
        },
        "data_tests": [{"fsync.validity_table": {"arguments": {"entity": keys}}}],
        "columns": [
            *(
                _column(column.name, str(column.type), "The entity, or a part of it.", not_null=True)
                for column in view.entity
            ),
            _column("valid_from", "timestamp", "The values hold after this instant (UTC)."),
            _column("valid_to", "timestamp", "The last instant at which the values hold (UTC)."),
            *(_feature(planned, empties[planned.name]) for planned in view.features),
        ],
    }


def _meta(view: View, keys: list[str]) -> dict[str, Any]:
    """What the materialization of the model and other programs need to know."""
    meta: dict[str, Any] = {"hash": view.hash, "entity": keys, "source": view.source.name}
    if view.every is not None:
        meta["every"] = str(view.every)
    # how much of an entity's history a change needs: without a longest window, all of it
    if not view.needs_lifetime:
        meta["longest_window_ms"] = view.windows[-1].milliseconds if view.windows else 0
    if view.source.lateness is not None:
        meta["lateness_ms"] = view.source.lateness.milliseconds
    return meta


def _column(name: str, kind: str, description: str, *, not_null: bool = False) -> dict[str, Any]:
    column: dict[str, Any] = {"name": name, "data_type": kind, "description": description}
    if not_null:
        column["data_tests"] = ["not_null"]
    return column


def _feature(planned: Planned, empty: object) -> dict[str, Any]:
    feature = planned.feature
    meta: dict[str, Any] = {"transformation": feature.definition}
    if feature.condition is not None:
        meta["where"] = feature.condition
    if feature.ttl is not None:
        meta["ttl"] = str(feature.ttl)
    if feature.scale is not None:
        meta["scale"] = feature.scale
    meta["empty"] = empty if isinstance(empty, bool | int | None) else str(empty)
    meta["owner"] = feature.owner
    if feature.freshness is not None:
        meta["freshness"] = str(feature.freshness)
    if feature.availability is not None:
        meta["availability"] = feature.availability
    if feature.classification:
        meta["classification"] = list(feature.classification)
    if feature.tags:
        meta["tags"] = list(feature.tags)
    if feature.backfill is not None:
        meta["backfill"] = {"from": feature.backfill.from_.isoformat(), "note": feature.backfill.note}
    column = _column(planned.name, str(planned.type), feature.description or f"{feature.definition}.", not_null=False)
    column["config"] = {"meta": {"fsync": meta}}
    if planned.is_never_null:
        column["data_tests"] = ["not_null"]
    return column


def _yaml(value: object) -> str:
    # through JSON, so that no YAML alias appears where one object stands twice
    written = json.dumps(_escaped(value))
    # libyaml is ten times as fast, but folds and quotes in its own way what is not printable ASCII; keys are ours
    dumper = _QUICK if written.isprintable() and not _NOT_PLAIN.search(written) else yaml.SafeDumper
    text: str = yaml.dump(json.loads(written), Dumper=dumper, sort_keys=False, allow_unicode=True, width=100)
    return text


_QUICK: Final = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # PyYAML may have been built without libyaml
#: an escape of JSON's for something else than a quote or a backslash
_NOT_PLAIN: Final = re.compile(r'\\[^"\\]')


def _escaped(value: object) -> object:
    """The same value with every text safe to be read as Jinja, as dbt reads its YAML."""
    if isinstance(value, str):
        return jinja.escape(value)
    if isinstance(value, dict):
        return {key: _escaped(item) for key, item in value.items()}
    return [_escaped(item) for item in value] if isinstance(value, list) else value
