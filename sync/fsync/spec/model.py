"""A dbt model that somebody wrote by hand: its SQL, as far as it can be read without running dbt."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from fsync.spec.document import plain
from fsync.spec.project import Project
from fsync.spec.source import is_generated
from fsync.spec.template import render

_CALL: Final = r"(?<![\w-])(ref|source)\s*\("
#: ref('orders'), ref('shop', 'orders'), source("cdnow", "orders"), in SQL and in Python models
_READS: Final = re.compile(
    _CALL + r"""\s*(['"])([^'"]+)\2\s*(?:,\s*(['"])([^'"]+)\4\s*)?(?=\)|,\s*(?:v|version)\s*=)"""
)
_ANY_READ: Final = re.compile(_CALL)
_COMMENT: Final = re.compile(r"\{#.*?#\}", re.DOTALL)
_JINJA: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_WORD: Final = re.compile(r"\b(\w+)\s*\(")
_MACRO: Final = re.compile(r"\{%-?\s*macro\s+(\w+)\s*\(")
_SNAPSHOT: Final = re.compile(r"\{%-?\s*snapshot\s+(\w+)\s*-?%\}(.*?)\{%-?\s*endsnapshot\s*-?%\}", re.DOTALL)
_VERSION: Final = re.compile(r"[._]v\d+$")
#: what stands in a model's SQL for the relation itself
THIS: Final = "fsync_read_this"


@dataclass(frozen=True)
class Model:
    """A model or snapshot by hand.

    `reads` are the names of what it reads, as specs write them: `orders`, `cdnow.orders`. `reads_more` says that it may
    read anything else too, as it works out names. `text` is what the file holds.
    """

    name: str
    file: str
    reads: tuple[str, ...]
    text: str
    reads_more: bool = False


#: a macro's body that reads a table which it does not get from `ref` or `source`
_FROM: Final = re.compile(r"\b(?:from|join)\s+[\w\"]", re.IGNORECASE)


def placeholder(number: int) -> str:
    """What stands in a model's SQL for the relation that it reads as its `number`th, from 0."""
    return f"fsync_read_{number}"


def load_models(project: Project, names: Iterable[str]) -> Mapping[str, Model]:
    """The models by hand of these names and all that they read, by name. What no file has is left out."""
    return _Files(project).models(names)


def rendered(model: Model) -> tuple[str, ...]:
    """The SQL that a model may come to, with `fsync_read_0`, `fsync_read_1`… in the places of what it reads.

    One text for each way that choices can go which dbt alone knows, `is_incremental()` first among them. None where its
    text is more than can be read without dbt: Python, or a call of a macro.
    """
    if model.file.endswith(".py"):
        return ()

    def read(kind: str, *names: str, **_version: object) -> str:
        return THIS if kind == "this" else placeholder(model.reads.index(_name(kind, *names)))

    return render(model.text, read)


def _name(kind: str, *names: str) -> str:
    return ".".join(names) if kind == "source" else names[-1]


class _Files:
    """The files of a project that hold models, snapshots and macros; each kind is looked for once, and when needed."""

    def __init__(self, project: Project) -> None:
        self._project = project
        folders = (project.root / folder for folder in project.model_paths)
        found = (path for folder in folders for path in sorted(folder.rglob("*")))
        self._paths = {path.stem: path for path in found if path.suffix in (".sql", ".py") and path.is_file()}
        self._versions: dict[str, list[Path]] = {}
        for stem, path in self._paths.items():
            if _VERSION.search(stem):
                self._versions.setdefault(_VERSION.sub("", stem), []).append(path)
        self._macros: Mapping[str, str] | None = None

    def models(self, names: Iterable[str]) -> Mapping[str, Model]:
        snapshots = {model.name: model for model in self._snapshots()}
        models: dict[str, Model] = {}
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            model = None if name in models else snapshots.get(name) or self._model(name)
            if model is not None:
                models[name] = model
                waiting += model.reads
                if model.reads_more:
                    waiting += [*self._paths, *snapshots]
        return models

    def _model(self, name: str) -> Model | None:
        if name in self._paths:
            return self._read(name, [self._paths[name]])
        return self._read(name, self._versions[name]) if name in self._versions else None

    def _read(self, name: str, paths: list[Path]) -> Model | None:
        texts = [text for text in map(_text, paths) if text is not None and not is_generated(text)]
        if not texts:
            return None
        file = self._project.relative(paths[0])
        if (
            len(texts) > 1
        ):  # which of its versions is meant, dbt alone knows: what they read is read, and no more is said
            versions = [self._made(name, file, text) for text in texts]
            reads = dict.fromkeys(read for version in versions for read in version.reads)
            return Model(name, file, tuple(reads), "", any(version.reads_more for version in versions))
        return self._made(name, file, texts[0])

    def _made(self, name: str, file: str, text: str) -> Model:
        """A model, with what its text says that it reads, or what the macros say that it calls."""
        # SQL has words of its own before brackets
        plain = text if file.endswith(".py") else _jinja(_COMMENT.sub("", text))
        reads, works_out = _literal(plain)
        if not works_out or file.endswith(".py"):
            for body in self._called(plain):
                more, also = _literal(_jinja(body))
                reads, works_out = [*reads, *more], works_out or also or _FROM.search(body) is not None
            return Model(name, file, tuple(dict.fromkeys(reads)), text, works_out)

        def read(kind: str, *names: str, **_version: object) -> str:
            if kind != "this":
                reads.append(_name(kind, *names))
            return THIS

        worked_out = render(text, read)
        return Model(name, file, tuple(dict.fromkeys(reads)), text, not worked_out)

    def _called(self, text: str) -> Iterator[str]:
        """The bodies of the project's macros that a text calls, and that these call."""
        known: set[str] = set()
        waiting = [text]
        while waiting:
            body = waiting.pop()
            for name in sorted({*_WORD.findall(body)} - known - _PLAIN):
                known.add(name)
                if name in self._bodies():
                    yield self._bodies()[name]
                    waiting.append(_jinja(self._bodies()[name]))

    def _bodies(self) -> Mapping[str, str]:
        if self._macros is None:
            folders = (self._project.root / folder for folder in self._project.macro_paths)
            texts = [_text(path) or "" for folder in folders for path in sorted(folder.rglob("*.sql"))]
            pieces = [_MACRO.split(_COMMENT.sub("", text)) for text in texts]
            self._macros = {piece[at]: piece[at + 1] for piece in pieces for at in range(1, len(piece), 2)}
        return self._macros

    def _snapshots(self) -> Iterator[Model]:
        for folder in self._project.yaml_paths:
            below = self._project.root / folder
            for path in sorted(below.rglob("*.sql")) if folder not in self._project.model_paths else ():
                for name, text in _SNAPSHOT.findall(_text(path) or ""):
                    yield self._made(name, self._project.relative(path), text)
            for path in sorted([*below.rglob("*.yml"), *below.rglob("*.yaml")]):
                yield from self._declared(path, _text(path) or "")

    def _declared(self, path: Path, text: str) -> Iterator[Model]:
        """Snapshots that are YAML and no SQL: `relation: ref('orders')`."""
        if "snapshots:" not in text or "relation:" not in text:
            return
        try:
            listed: Any = plain(text)["snapshots"]
            relations = [(str(node["name"]), str(node["relation"])) for node in listed if "relation" in node]
        except (yaml.YAMLError, TypeError, KeyError, ValueError, RecursionError):
            return  # dbt says so better than we could
        for name, relation in relations:
            yield self._made(name, self._project.relative(path), f"select * from {{{{ {relation} }}}}")


#: what is called in Jinja that is no macro of the project's
_PLAIN: Final = frozenset({"ref", "source", "config", "is_incremental", "var", "env_var", "range"})


def _jinja(text: str) -> str:
    """What a text has of Jinja."""
    return "\n".join(_JINJA.findall(text))


def _literal(text: str) -> tuple[list[str], bool]:
    """What a text reads by names that stand in it, and whether there are others."""
    matches = [match for match in _READS.finditer(text) if match[1] == "ref" or match[5]]
    found = [_name(match[1], *filter(None, (match[3], match[5]))) for match in matches]
    return found, len(_ANY_READ.findall(text)) > len(found)


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None  # dbt says so better than we could
