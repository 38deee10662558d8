"""One YAML file: its plain values, and the place of every key and value."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from fsync.errors import one_line
from fsync.spec.bad_yaml import BREAK, IN_ITSELF, TOO_DEEP, UNFOLDS, fault_after, fault_at, fault_of_yaml
from fsync.spec.issue import Issue, Place

#: The way to a value from the top of a file: ('features', 0, 'name').
Path = tuple[str | int, ...]

# libyaml where the wheel has it (all do): ten times faster, same marks
_Loader: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

#: what cannot stand in a YAML file
_CONTROL: Final = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: kinds of characters that a terminal obeys or hides: controls, directions, separators
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
#: how many values a file may come to by its aliases, beside those that are written
_MOST_VALUES: Final = 100_000
#: with how many characters an integer is sure to be one that Python prints again
_LONGEST_INTEGER: Final = 3_000
_MERGE: Final = "tag:yaml.org,2002:merge"


@dataclass(frozen=True)
class Document:
    """A parsed YAML file. `value` is what PyYAML's safe loader makes of it."""

    file: str
    lines: tuple[str, ...]
    value: Any
    _values: Mapping[Path, yaml.Node]
    _keys: Mapping[Path, yaml.Node]

    def has(self, path: Path) -> bool:
        return path in self._values

    def place(self, path: Path) -> Place:
        """The place of the value at `path`, or of the nearest thing around it that exists."""
        while path and path not in self._values:
            path = path[:-1]
        if path not in self._values:
            return self._at(0, 0, 1)
        node = self._values[path]
        if isinstance(node, yaml.ScalarNode) or not path:
            return self._of(node)
        # a mapping or list is pointed at by its key, which says more than its first line
        return self.key_place(path)

    def key_place(self, path: Path) -> Place:
        """The place of the key at `path`; of its value where it has no key (a list's item)."""
        node = self._keys.get(path) or self._values.get(path)
        return self._of(node) if node is not None else self.place(path[:-1])

    def within(self, path: Path, start: int, end: int) -> Place:
        """The place of characters `start` to `end` of the text at `path`."""
        node = self._values.get(path)
        if not isinstance(node, yaml.ScalarNode):
            return self.place(path)
        mark, text = node.start_mark, node.value
        if node.style in ("|", ">"):
            return self._in_block(node, start, end)
        column = mark.column + (1 if node.style in ("'", '"') else 0)
        line = self._line(mark.line)
        if line[column : column + len(text)] != text:  # escapes, or more than one line
            return self._of(node)
        return self._at(mark.line, column + start, max(1, end - start))

    def _in_block(self, node: yaml.ScalarNode, start: int, end: int) -> Place:
        before = node.value[:start].count("\n")
        line = node.start_mark.line + 1 + before
        written = node.value.split("\n")[before]
        column = self._line(line).find(written) if written else -1
        if node.style == ">" or column < 0:
            return self._of(node)
        offset = start - (node.value.rfind("\n", 0, start) + 1)
        return self._at(line, column + offset, max(1, min(end - start, len(written) - offset)))

    def _of(self, node: yaml.Node) -> Place:
        start, end = node.start_mark, node.end_mark
        line = self._line(start.line)
        width = (end.column if end.line == start.line else len(line)) - start.column
        return self._at(start.line, start.column, max(1, width))

    def _at(self, line: int, column: int, width: int) -> Place:
        return Place(self.file, line + 1, column + 1, width, self._line(line))

    def _line(self, line: int) -> str:
        return self.lines[line] if line < len(self.lines) else ""


@dataclass(frozen=True)
class Written:
    """Where a spec stands: the file, and the paths of its keys (some of a feature in `defaults:`)."""

    document: Document
    base: Path
    inherited: Mapping[str, Path]

    def path(self, key: str) -> Path:
        return self.inherited.get(key, (*self.base, key))

    def has(self, key: str) -> bool:
        return self.document.has(self.path(key))

    def place(self, key: str) -> Place:
        return self.document.place(self.path(key))

    def within(self, key: str, start: int, end: int) -> Place:
        return self.document.within(self.path(key), start, end)


def plain(text: str) -> Any:
    """What a YAML text means, where nobody asks for places. Raises yaml.YAMLError for all that PyYAML cannot read."""
    try:
        return yaml.safe_load(text)
    except (KeyError, AttributeError, ValueError, TypeError, OverflowError, RecursionError) as error:
        # what its constructors let through of a value that its tag or form does not fit: `!!bool x`, `2024-02-30`
        raise yaml.YAMLError(f"a value in it cannot be read ({one_line(error) or type(error).__name__})") from error


def read(file: str, text: str) -> tuple[Document | None, tuple[Issue, ...]]:
    """Parse the text of one YAML file.

    Returns:
        The document, or None where the text is not YAML; and the faults: `bad-yaml`, `duplicate-key`.
    """
    text = text.removeprefix("\ufeff")  # the mark that some editors begin a file with
    lines = _lines(text)
    if (control := _CONTROL.search(text)) is not None:  # libyaml says so too, without a place
        what = f"the control character U+{ord(control[0]):04X} cannot stand in YAML"
        return None, (fault_after(text[: control.start()], file, lines, what, "delete it"),)
    index = _Index(_MOST_VALUES + len(text))
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is not None:
            index.add(node, ())  # before constructing, which folds `<<` merges into the nodes
        value = None if node is None else _constructed(loader, node)
    except _Unreadable as error:
        place = Document(file, lines, None, {}, {})._of(error.node)
        return None, (Issue("bad-yaml", str(error), place, ("a text is put in quotes",)),)
    except yaml.YAMLError as error:
        return None, (fault_of_yaml(file, lines, error),)
    except RecursionError:
        return None, (fault_at(file, lines, 0, 0, TOO_DEEP),)
    finally:
        loader.dispose()
    document = Document(file, lines, value, index.values if value is not None else {}, index.keys)
    issues = (
        Issue("duplicate-key", f"the key {path[-1]!r} stands here a second time", document._of(key))
        for path, key in index.twice
    )
    return document, tuple(issues)


def not_utf8(file: str, error: UnicodeDecodeError) -> Issue:
    """The fault of a file whose bytes are not UTF-8."""
    what = f"this file is not UTF-8: the byte 0x{error.object[error.start]:02X} is no character here"
    before, whole = error.object[: error.start].decode("utf-8-sig"), error.object.decode("utf-8-sig", "replace")
    return fault_after(before, file, _lines(whole), what, "save it as UTF-8")


def _lines(text: str) -> tuple[str, ...]:
    """The lines of a text as they can be shown: what a terminal would obey or hide is replaced, letter by letter."""
    return tuple(line if line.isprintable() else "".join(map(_shown, line)) for line in BREAK.split(text))


def _shown(letter: str) -> str:
    is_hidden = letter != "\t" and unicodedata.category(letter) in _HIDDEN
    return "\N{REPLACEMENT CHARACTER}" if is_hidden else letter


# ---------------------------------------------------------------- nodes and values


class _Index:
    """The nodes of every path in a file, and the keys that stand twice in one mapping."""

    def __init__(self, most: int) -> None:
        self.values: dict[Path, yaml.Node] = {}
        self.keys: dict[Path, yaml.Node] = {}
        self.twice: list[tuple[Path, yaml.Node]] = []
        self._left = most

    def add(self, node: yaml.Node, path: Path, above: frozenset[int] = frozenset()) -> None:
        self.values[path] = node
        if self._stands_in(above, node):
            return
        inside = above | {id(node)}
        if isinstance(node, yaml.MappingNode):
            merges = []
            for key, child in node.value:
                if not isinstance(key, yaml.ScalarNode):
                    continue
                below = (*path, key.value)
                if below in self.keys:  # the last one counts, as in the value
                    self.twice.append((below, key))
                self.keys[below] = key
                if key.tag == _MERGE:
                    merges.append(child)
                else:
                    self.add(child, below, inside)
            for child in merges:
                self._merge(child, path, inside)
        elif isinstance(node, yaml.SequenceNode):
            for index, child in enumerate(node.value):
                self.add(child, (*path, index), inside)

    def _merge(self, node: yaml.Node, path: Path, above: frozenset[int]) -> None:
        """Add what `<<` brings to the mapping at `path`, which keeps the keys of its own."""
        if self._stands_in(above, node):
            raise yaml.constructor.ConstructorError(problem=IN_ITSELF, problem_mark=node.start_mark)
        inside = above | {id(node)}
        for child in node.value if isinstance(node, yaml.SequenceNode) else ():
            self._merge(child, path, inside)
        for key, child in node.value if isinstance(node, yaml.MappingNode) else ():
            if key.tag == _MERGE:
                self._merge(child, path, inside)
            elif isinstance(key, yaml.ScalarNode) and (below := (*path, key.value)) not in self.keys:
                self.keys[below] = key
                self.add(child, below, inside)

    def _stands_in(self, above: frozenset[int], node: yaml.Node) -> bool:
        """Whether a node is an alias to what it stands in; raises for a bomb of aliases."""
        self._left -= 1
        if self._left < 0:
            raise yaml.constructor.ConstructorError(problem=UNFOLDS, problem_mark=node.start_mark)
        return id(node) in above


class _Unreadable(Exception):
    """A scalar is not of the type that YAML takes it for, or is more than can be worked with."""

    def __init__(self, node: yaml.ScalarNode) -> None:
        kind = _KINDS.get(node.tag.rpartition(":")[2], node.tag)
        written = repr(node.value) if len(node.value) < 40 else "this"
        is_long = _is_long(node)
        super().__init__(
            "no number has so many digits" if is_long else f"YAML reads {written} as {kind}, and it is none"
        )
        self.node = node


_KINDS: Final = {"timestamp": "a date or time", "int": "a number", "float": "a number", "bool": "true or false"}
#: what PyYAML lets through when it converts a scalar
_OF_PYTHON: Final = (ValueError, OverflowError, KeyError, AttributeError, TypeError)


def _constructed(loader: Any, node: yaml.Node) -> Any:
    """The plain value of a file; raises _Unreadable."""
    scalars = list(_scalars(node))
    if (too_long := next(filter(_is_long, scalars), None)) is not None:
        raise _Unreadable(too_long)
    try:
        return loader.construct_document(node)
    except _OF_PYTHON:
        for scalar in scalars:
            if not _is_readable(loader, scalar):
                raise _Unreadable(scalar) from None
        raise


def _scalars(node: yaml.Node) -> Iterator[yaml.ScalarNode]:
    """Every scalar below a node, those in keys and under keys that stand twice too, each once."""
    waiting, seen = [node], {id(node)}
    while waiting:
        below = waiting.pop()
        if isinstance(below, yaml.ScalarNode):
            yield below
            continue
        children = (
            below.value if isinstance(below, yaml.SequenceNode) else [part for pair in below.value for part in pair]
        )
        waiting += [child for child in reversed(children) if id(child) not in seen]
        seen.update(map(id, children))


def _is_long(scalar: yaml.ScalarNode) -> bool:
    return scalar.tag == "tag:yaml.org,2002:int" and len(scalar.value) > _LONGEST_INTEGER


def _is_readable(loader: Any, scalar: yaml.ScalarNode) -> bool:
    loader.recursive_objects.clear()  # it stands there from the attempt that failed
    try:
        loader.construct_object(scalar)
    except _OF_PYTHON:
        return False
    return True
