"""New specs: the text of a file from its parts, with comments to learn from, and the file itself.

What a person gives is written by a YAML dumper, key by key: no text can be anything but the value of its key.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final, TextIO

import yaml

from fsync.errors import InputError
from fsync.language.transformations import FORMS
from fsync.spec.source import Column, Source
from fsync.spec.transformation import read_transformation

_HEAD: Final = "Begun with `fsync new`, and yours from here on. `fsync schema` has all keys."
#: a space at which no line ends
_KEPT: Final = "\N{NO-BREAK SPACE}"
_ANY_KIND: Final = ("decimal", "double", "bigint", "boolean", "varchar", "uuid", "date", "timestamp")


@dataclass(frozen=True)
class FeatureParts:
    """What a new feature is made of, as its keys say it. `classes` are those of its values; none is `pii: false`."""

    name: str
    entity: tuple[str, ...]
    source: str
    transformation: str
    owner: str
    where: str | None = None
    every: str | None = None
    view: str | None = None
    description: str | None = None
    freshness: str | None = None
    classes: tuple[str, ...] = ()
    #: since when values can be trusted, and why
    backfill: tuple[date, str] | None = None


@dataclass(frozen=True)
class ServiceParts:
    """What a new service is made of, as its keys say it."""

    name: str
    owner: str
    features: tuple[str, ...]
    description: str | None = None


#: one key: what is to know of it, its name, and its value; None is shown as a comment, `key: example`
_Entry = tuple[tuple[str, ...], str, Any]


@dataclass(frozen=True)
class _Example:
    """A value that is not given: shown as a comment."""

    text: str


def feature_text(parts: FeatureParts, source: Source | None) -> str:
    """The file of one feature. `source` is what dbt's YAML declares of what it reads, where it declares that."""
    return _text([entry for entry in _feature(parts, source) if entry[2] is not None])


def service_text(parts: ServiceParts) -> str:
    """The file of one service."""
    entries: list[_Entry] = [
        ((), "name", parts.name),
        (("who answers for the model",), "owner", parts.owner),
        (("what the model is for",), "description", parts.description or _Example("…")),
        (
            ("what the model reads: the columns of its training set and of its vector online, in this order",),
            "features",
            list(parts.features),
        ),
    ]
    return _text(entries)


def with_window(transformation: str, window: str) -> str:
    """A transformation that leaves its window out, with it: `window_sum(amount)` and `30d`.

    Raises:
        InputError: when it takes no window, or has one.
    """
    written = re.fullmatch(r"\s*(\w+)\s*(?:\((.*)\))?\s*", transformation, re.DOTALL)
    name = "" if written is None else written[1].lower()
    if written is None or name not in FORMS or FORMS[name][1] != "window":
        raise InputError(f"only a window_…() has a window, and {transformation!r} is none", "leave the window away")
    if read_transformation(transformation).call is not None:
        raise InputError(f"{transformation!r} has a window already", "give it once")
    arguments = (written[2] or "").strip()
    return f"{name}({arguments}, {window})" if arguments else f"{name}({window})"


def write_new(path: Path, text: str) -> None:
    """Write a file that is not there yet.

    Raises:
        InputError: when it is there, whatever it holds, or cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            _write_whole(file, text, path)
    except FileExistsError as error:
        raise InputError(f"{error.filename} stands there already", "nothing is ever written over") from error
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from error


def _write_whole(file: TextIO, text: str, path: Path) -> None:
    try:
        file.write(text)
        file.flush()
    except OSError:
        path.unlink(missing_ok=True)  # half of a spec would stop all others
        raise


# ---------------------------------------------------------------- what stands in a feature's file


def _feature(parts: FeatureParts, source: Source | None) -> Iterator[_Entry]:
    yield (), "name", parts.name
    entity = parts.entity[0] if len(parts.entity) == 1 else list(parts.entity)
    yield ("whose value it is: a column of the source, or a list of columns",), "entity", entity
    happens = "" if source is None or source.event_time is None else f"; an event happens at its {source.event_time}"
    yield (f"what it reads: a dbt model, seed or snapshot, or a dbt source{happens}",), "source", parts.source
    yield _what_it_computes(source), "transformation", parts.transformation
    yield ("only events that meet it count",), "where", parts.where
    yield ("values change only at multiples of it since 1970",), "every", parts.every
    yield ("the feature view, instead of the one that entity and source make",), "view", parts.view
    description = parts.description or _Example("…")
    yield ("what it is and in which unit, for people",), "description", description
    yield ("who answers for it",), "owner", parts.owner
    sla = {"freshness": parts.freshness} if parts.freshness else _Example('{freshness: "1h"}')
    yield ("how old a value may be: readers are told `stale` of one that is older",), "sla", sla
    if parts.classes in ((), ("pii",)):
        yield ("whether values are personal: they may not go everywhere then",), "pii", bool(parts.classes)
    else:
        yield ("the classes that values are of: they may not go everywhere",), "classification", list(parts.classes)
    trusted = {"from": parts.backfill[0], "note": parts.backfill[1]} if parts.backfill else None
    note = "since when values can be trusted, and why: needed once a service reads it"
    yield (note,), "backfill", trusted or _Example("{from: 2024-01-31, note: why not before}")


def _what_it_computes(source: Source | None) -> tuple[str, ...]:
    notes = ["what it computes of the events before an instant"]
    if source is not None and source.columns:
        columns = (column.replace(" ", _KEPT) for column in columns_told(source))
        notes.append(f"columns of {source.name}: {', '.join(columns)}")
    return tuple(notes)


def columns_told(source: Source) -> tuple[str, ...]:
    """The columns of a source for people, numbers first, times last: `amount decimal(10,2)`."""

    def rank(column: Column) -> int:
        return len(_ANY_KIND) if column.type is None else _ANY_KIND.index(column.type.name)

    return tuple(f"{column.name} {column.declared or '?'}" for column in sorted(source.columns.values(), key=rank))


# ---------------------------------------------------------------- YAML


class _Dumper(yaml.SafeDumper):
    """Several lines stay several lines, and a list is indented below its key."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=_style(text))


def _style(text: str) -> str | None:
    lines = text.split("\n")
    # what else ends a line in YAML, or cannot be seen, has an escape between double quotes alone
    if not all(line.isprintable() for line in lines) or text != text.strip():
        return '"'
    return "|" if len(lines) > 1 else None


_Dumper.add_representer(str, _represent_text)


def _text(entries: Iterable[_Entry]) -> str:
    blocks = [_comment(_HEAD), *(f"{_comment(*notes)}{_written(key, value)}" for notes, key, value in entries)]
    return "\n".join(blocks)


def _written(key: str, value: Any) -> str:
    if isinstance(value, _Example):
        return f"# {key}: {value.text}\n"
    if isinstance(value, dict) or (isinstance(value, list) and key != "features"):
        return f"{key}: {yaml.dump(value, Dumper=_Dumper, default_flow_style=True, sort_keys=False, **_PLAIN)}"
    return str(yaml.dump({key: value}, Dumper=_Dumper, default_flow_style=False, **_PLAIN))


_PLAIN: Final[dict[str, Any]] = {"allow_unicode": True, "width": float("inf")}


def _comment(*notes: str) -> str:
    """Notes as comments, each on lines of its own. The name of a column may have line breaks, or be unreadable."""
    lines = []
    for note in notes:
        readable = "".join(letter if letter.isprintable() or letter == _KEPT else " " for letter in note)
        lines += textwrap.wrap(readable, 110, break_on_hyphens=False)
    return "".join(f"# {line.replace(_KEPT, ' ')}\n" for line in lines)
