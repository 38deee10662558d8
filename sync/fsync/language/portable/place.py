"""Where a node stands in its text, to the last bracket, and under which name it was called.

sqlglot places tokens, and not all of them: `floor(a)` is placed at `a`, and no closing bracket is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from sqlglot import exp

from fsync.language.expression import span

_CALL: Final = re.compile(r"(\w+)\s*\(")
_BETWEEN: Final = re.compile(r"[\s\w(+-]*")
_TYPE: Final = re.compile(r"\s*::\s*\w+(?:\s*\([^)]*\))?")
_QUOTED: Final = re.compile(r"'[^']*'|\"[^\"]*\"")
_PARTS: Final = re.compile(r"'[^']*'|\"[^\"]*\"|[(),]")
_OVER: Final = re.compile(r"\s*over\s*\(", re.IGNORECASE)
_OPENING: Final = re.compile(r"\(\s*$")
_BRACKET: Final = re.compile(r"\s*\)")


def called(node: exp.Expr, text: str) -> str | None:
    """The name, in lower case, of the function that a node was written as; None for an operator."""
    while isinstance(node, exp.Filter | exp.IgnoreNulls | exp.RespectNulls):
        node = node.this
    found = _call(node, text)
    return None if found is None else found[1].lower()


def place(node: exp.Expr, text: str) -> tuple[int, int]:
    """The offsets of a node: from its first character to behind its last."""
    if not is_placed(node):
        return _unplaced(node, text)
    start, end = span(node, text)
    if isinstance(node, exp.Paren):
        return _with_brackets(text, *place(node.this, text))
    if isinstance(node, exp.Window | exp.Filter | exp.IgnoreNulls | exp.Neg | exp.Not) and is_placed(node.this):
        start = min(start, place(node.this, text)[0])
    elif isinstance(node, exp.Cast) and is_placed(node.this):
        start, end = _cast(node, text, start, end)
    elif (call := _call(node, text)) is not None:
        start, end = min(start, call.start()), max(end, _closing(text, call.end()))
    elif isinstance(node, exp.Binary):
        sides = [place(side, text) for side in (node.this, node.expression) if is_placed(side)]
        start, end = min(start, *(side[0] for side in sides)), max(end, *(side[1] for side in sides))
    elif isinstance(node, exp.Bracket):
        end = max(end, text.find("]", end) + 1)
    while _is_open(text[start:end]) and (bracket := _BRACKET.match(text, end)):
        end = bracket.end()
    if isinstance(node, exp.Window) and (over := _OVER.match(text, end)):
        end = _closing(text, over.end())
    return _to_the_sign(node, text, start), end


def count_arguments(node: exp.Expr, text: str) -> int:
    """How many arguments a function was written with: the parser drops some that it does not know."""
    call, commas, depth = _call(node, text), 0, 0
    for part in () if call is None else _PARTS.finditer(text, call.end(), _closing(text, call.end()) - 1):
        depth += {"(": 1, ")": -1}.get(part[0], 0)
        commas += part[0] == "," and depth == 0
    return 0 if call is None else commas + 1


def is_placed(node: exp.Expr) -> bool:
    """Whether any token of a node has a place; `null` has none."""
    return any("start" in part.meta for part in node.walk())


def _unplaced(node: exp.Expr, text: str) -> tuple[int, int]:
    """A word such as CURRENT_DATE is where it is found first; NULL and intervals are what they stand in."""
    names = "|".join(type(node).sql_names()) if isinstance(node, exp.Func) else None
    if names and (word := re.search(rf"\b(?:{names})\b", text, re.IGNORECASE)):
        return word.span()
    return (0, len(text)) if node.parent is None else place(node.parent, text)


def _with_brackets(text: str, start: int, end: int) -> tuple[int, int]:
    before, after = _OPENING.search(text[:start]), _BRACKET.match(text, end)
    return (start, end) if before is None or after is None else (before.start(), after.end())


def _call(node: exp.Expr, text: str) -> re.Match[str] | None:
    if isinstance(node, exp.Column | exp.Literal | exp.Case) or _has_colons(node, text):
        return None
    if "start" in node.meta:
        return _CALL.match(text, node.meta["start"])
    if not isinstance(node, exp.Func) or isinstance(node, exp.Binary):
        return None
    return _opened(node, text)


def _opened(node: exp.Func, text: str) -> re.Match[str] | None:
    """The call before a node whose name sqlglot has not placed."""
    before = text[: span(node, text)[0]]
    for call in reversed(list(_CALL.finditer(before))):
        if not _BETWEEN.fullmatch(before, call.end()):
            return None
        if call[1].upper() in type(node).sql_names():
            return call
    nearest = re.search(r"(\w+)\s*\(\s*$", before)
    return None if isinstance(node, exp.Cast) else nearest


def _cast(node: exp.Cast, text: str, start: int, end: int) -> tuple[int, int]:
    """A cast: `cast(a as type)`, `a::type`, or a constant such as `date '2024-01-31'`."""
    start, inner = place(node.this, text)
    if (colons := _TYPE.match(text, inner)) is not None:
        return start, max(end, colons.end())
    if (call := _opened(node, text)) is not None:
        return call.start(), _closing(text, call.end())
    before = re.search(r"\w+\s*$", text[:start])
    return (start if before is None else before.start()), end


def _has_colons(node: exp.Expr, text: str) -> bool:
    is_cast = isinstance(node, exp.Cast) and is_placed(node.this)
    return is_cast and _TYPE.match(text, place(node.this, text)[1]) is not None


def _to_the_sign(node: exp.Expr, text: str, start: int) -> int:
    """The start of `-a` and `not a`, whose first token sqlglot does not place."""
    sign = _SIGNS.get(type(node))
    before = None if sign is None else sign.search(text[:start])
    return start if before is None else before.start()


_SIGNS: Final[Mapping[type[exp.Expr], re.Pattern[str]]] = {
    exp.Neg: re.compile(r"-\s*\(*\s*$"),
    exp.Not: re.compile(r"\bnot\s*\(*\s*$", re.IGNORECASE),
}


def _closing(text: str, inside: int) -> int:
    """The offset behind the bracket that closes the one before `inside`."""
    depth = 1
    for part in _PARTS.finditer(text, inside):
        depth += {"(": 1, ")": -1}.get(part[0], 0)
        if depth == 0:
            return part.end()
    return len(text)


def _is_open(written: str) -> bool:
    bare = _QUOTED.sub("", written)
    return bare.count("(") > bare.count(")")
