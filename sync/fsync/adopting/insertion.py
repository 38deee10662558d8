"""A few lines put into a YAML file that a person wrote, who finds all else as it was, to the byte.

PyYAML says where a value stands and what a file means; the lines go in as text. Loading the file and writing it anew
would lose comments, order and spelling.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import yaml

from fsync.spec.document import plain

_NEWLINE: Final = re.compile(r"\r\n|\r|\n")
_INDENT: Final = "  "


def insert(text: str, key: str, lines: Sequence[str]) -> str | None:
    """Put lines below a top-level key of a YAML mapping, before what is there; below a new key at the end if there is
    none.

    Args:
        lines: the items of a block list or the entries of a block mapping, as they stand at the left margin.

    Returns None where adding lines cannot do it: the value is in flow style, an alias or something else than the lines
    are, or anything else in the file would come to mean something else.
    """
    try:
        before = plain(text)
        changed = _inserted(text, yaml.compose(text, Loader=yaml.SafeLoader), key, lines)
        if changed is None:
            return None
        expected = _with_first(before, key, plain("\n".join(lines)))
        # as text: equality would take 1 for True, and know no order
        return changed if repr(plain(changed)) == repr(expected) else None
    except (yaml.YAMLError, RecursionError):
        return None


def _inserted(text: str, root: yaml.Node | None, key: str, lines: Sequence[str]) -> str | None:
    if root is None:  # nothing but comments
        return _appended(text, "", key, lines)
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        return None
    margin = " " * root.value[0][0].start_mark.column
    found = [(name, value) for name, value in root.value if name.value == key]
    if not found:
        return _appended(text, margin, key, lines)
    name, value = found[0]
    kind = yaml.SequenceNode if lines[0].startswith("- ") else yaml.MappingNode
    indent = _indent(value, name, margin, kind)
    return None if indent is None else _put(text, name.end_mark.index, [indent + line for line in lines])


def _indent(value: yaml.Node, name: yaml.Node, margin: str, kind: type[yaml.CollectionNode]) -> str | None:
    """What the entries of a value begin with; None where no line can go before them, or it is of another kind."""
    if isinstance(value, yaml.ScalarNode):
        return margin + _INDENT if value.value == "" and value.style is None else None
    if not isinstance(value, kind) or value.flow_style:
        return None
    # an anchor stands on the key's own line, and what an alias stands for above it
    return " " * value.start_mark.column if value.start_mark.line > name.end_mark.line else None


def _put(text: str, after: int, lines: Sequence[str]) -> str:
    """Text with lines after the one that the character `after` is in."""
    newline = _newline(text)
    end = _NEWLINE.search(text, after)
    head, tail = (text + newline, "") if end is None else (text[: end.end()], text[end.end() :])
    return head + "".join(line + newline for line in lines) + tail


def _appended(text: str, margin: str, key: str, lines: Sequence[str]) -> str:
    newline = _newline(text)
    ending = "" if not text or text.endswith(("\n", "\r")) else newline
    last = re.split(_NEWLINE, text + ending)[-2:-1]
    gap = newline if last and last[0].strip() else ""
    block = [f"{margin}{key}:", *(f"{margin}{_INDENT}{line}" for line in lines)]
    return text + ending + gap + "".join(line + newline for line in block)


def _newline(text: str) -> str:
    found = _NEWLINE.search(text)
    return found[0] if found is not None else "\n"


def _with_first(before: Any, key: str, added: Any) -> Any:
    """What the file means with the lines added."""
    whole: Mapping[str, Any] = before or {}
    there = whole.get(key)
    if isinstance(added, Mapping):
        return {**whole, key: {**added, **(there or {})}}
    return {**whole, key: [*added, *(there or [])]}
