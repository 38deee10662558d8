"""One YAML file: its plain values, and the place of every key and value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from fsync.spec.issue import Issue, Place

#: The way to a value from the top of a file: ('features', 0, 'name').
Path = tuple[str | int, ...]

# libyaml where the wheel has it (all do): ten times faster, same marks
_Loader: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


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


def read(file: str, text: str) -> tuple[Document | None, tuple[Issue, ...]]:
    """Parse the text of one YAML file.

    Returns:
        The document, or None where the text is not YAML; and the faults: `bad-yaml`, `duplicate-key`.
    """
    lines = tuple(text.splitlines())
    values: dict[Path, yaml.Node] = {}
    keys: dict[Path, yaml.Node] = {}
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            # before constructing, which folds `<<` merges into the nodes
            twice = [] if node is None else list(_index(node, (), values, keys, frozenset()))
            value = None if node is None else loader.construct_document(node)
        finally:
            loader.dispose()
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError) as error:
        return None, (_bad_yaml(file, lines, error),)
    document = Document(file, lines, value, values, keys)
    issues = (
        Issue("duplicate-key", f"the key {path[-1]!r} stands here a second time", document._of(key))
        for path, key in twice
    )
    return document, tuple(issues)


def _index(
    node: yaml.Node,
    path: Path,
    values: dict[Path, yaml.Node],
    keys: dict[Path, yaml.Node],
    above: frozenset[int],
) -> Iterator[tuple[Path, yaml.Node]]:
    """Note the node of every path; yield the keys that stand twice in one mapping."""
    values[path] = node
    if id(node) in above or len(values) > 100_000:  # an alias to what it stands in, or a bomb of aliases
        return
    inside = above | {id(node)}
    if isinstance(node, yaml.MappingNode):
        for key, child in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            below = (*path, key.value)
            if below in keys:
                yield below, key
                continue
            keys[below] = key
            yield from _index(child, below, values, keys, inside)
    elif isinstance(node, yaml.SequenceNode):
        for index, child in enumerate(node.value):
            yield from _index(child, (*path, index), values, keys, inside)


def _bad_yaml(file: str, lines: tuple[str, ...], error: Exception) -> Issue:
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    line, column = (mark.line, mark.column) if mark is not None else (0, 0)
    line = min(line, max(0, len(lines) - 1))
    shown = lines[line] if lines else ""
    place = Place(file, line + 1, min(column, len(shown)) + 1, 1, shown)
    return Issue("bad-yaml", f"this is not YAML: {what}", place)
