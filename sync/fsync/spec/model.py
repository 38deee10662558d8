"""A dbt model that somebody wrote by hand: its SQL, as far as it can be read without running dbt."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fsync.spec.project import Project
from fsync.spec.source import is_generated

#: ref('orders'), ref('shop', 'orders'), source("cdnow", "orders"), in SQL and in Python models
_READS: Final = re.compile(r"""\b(ref|source)\s*\(\s*(['"])([^'"]+)\2\s*(?:,\s*(['"])([^'"]+)\4\s*)?""")


@dataclass(frozen=True)
class Model:
    """A model by hand. `reads` are the names of what it reads, as specs write them: `orders`, `cdnow.orders`.

    `text` is what the file holds.
    """

    name: str
    file: str
    reads: tuple[str, ...]
    text: str


def placeholder(number: int) -> str:
    """What stands in a model's SQL for the relation that it reads as its `number`th, from 0."""
    return f"fsync_read_{number}"


def load_models(project: Project, names: Iterable[str]) -> Mapping[str, Model]:
    """The models by hand of these names and all that they read, by name. What no file has is left out."""
    files = _files(project)
    models: dict[str, Model] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in models or name not in files:
            continue
        try:
            text = files[name].read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue  # dbt says so better than we could
        if is_generated(text):
            continue
        models[name] = _model(name, project.relative(files[name]), text)
        waiting += models[name].reads
    return models


def _files(project: Project) -> Mapping[str, Path]:
    folders = (project.root / folder for folder in project.model_paths)
    found = (path for folder in folders for path in sorted(folder.rglob("*")))
    return {path.stem: path for path in found if path.suffix in (".sql", ".py") and path.is_file()}


def _model(name: str, file: str, text: str) -> Model:
    found = (
        f"{match[3]}.{match[5]}" if match[1] == "source" and match[5] else match[5] or match[3]
        for match in _READS.finditer(text)
    )
    return Model(name, file, tuple(dict.fromkeys(found)), text)


def rendered(model: Model) -> str | None:
    """The SQL of a model, with `fsync_read_0`, `fsync_read_1`… in the places of what it reads.

    None where its text is more than can be read without dbt: Python, or a call of a macro.
    """
    if model.file.endswith(".py"):
        return None
    from jinja2 import StrictUndefined, TemplateError
    from jinja2.sandbox import SandboxedEnvironment

    def ref(*names: str, **_version: object) -> str:
        return placeholder(model.reads.index(names[-1]))

    def source(*names: str) -> str:
        return placeholder(model.reads.index(".".join(names)))

    words: dict[str, Any] = {
        "ref": ref,
        "source": source,
        "config": lambda *_, **__: "",
        "is_incremental": lambda: False,
        "var": _given,
        "env_var": _given,
    }
    try:
        return SandboxedEnvironment(undefined=StrictUndefined).from_string(model.text).render(words)
    except (TemplateError, ArithmeticError, TypeError, ValueError, LookupError, AttributeError, RecursionError):
        return None


def _given(name: str, default: object = None) -> object:
    """A variable: which values it has does not matter for which columns are read."""
    return name if default is None else default
