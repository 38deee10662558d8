"""Texts: sequences of Unicode code points."""

from __future__ import annotations

from typing import Final

from sqlglot import exp

from fsync.language.portable.base import Entry, Typing
from fsync.language.types import BIGINT, BOOLEAN, VARCHAR, SqlType


def _text(typing: Typing, node: exp.Expr) -> SqlType | None:
    typing.words(node.this)
    return VARCHAR


def _joined(typing: Typing, node: exp.Expr) -> SqlType | None:
    for side in (node.this, node.expression):
        mend = "cast(a as varchar) makes a text of it"
        typing.expect(side, lambda kind: kind == VARCHAR, "a text", mend)
    return VARCHAR


def _trimmed(typing: Typing, node: exp.Expr) -> SqlType | None:
    if node.expression is not None and node.args.get("expression") is not None:
        return typing.not_portable(node, "trim() takes spaces away, and no other characters")
    return _text(typing, node)


def _length(typing: Typing, node: exp.Expr) -> SqlType | None:
    typing.words(node.this)
    return BIGINT


def _part(typing: Typing, node: exp.Expr) -> SqlType | None:
    typing.words(node.this)
    for argument, least in (("start", 1), ("length", 0)):
        number = node.args.get(argument)
        if not (isinstance(number, exp.Literal) and number.name.isdigit() and int(number.name) >= least):
            mend = "it is written substring(a, 1, 3): from the first character on, three of them"
            message = f"substring() takes a {argument} that is a whole number, written out, from {least} on"
            return typing.not_portable(number if number is not None else node, message, mend)
    return VARCHAR


def _replaced(typing: Typing, node: exp.Expr) -> SqlType | None:
    if node.args.get("replacement") is None:
        return typing.not_portable(node, "replace() takes three texts", "write replace(a, 'x', '') to leave it out")
    typing.words(node.this, node.expression, node.args["replacement"])
    return VARCHAR


def _found(typing: Typing, node: exp.Expr) -> SqlType | None:
    typing.words(node.this, node.expression)
    return BOOLEAN


def _like(typing: Typing, node: exp.Expr) -> SqlType | None:
    typing.words(node.this)
    pattern = node.expression
    if not (isinstance(pattern, exp.Literal) and pattern.is_string):
        mend = "contains(a, b), starts_with(a, b) and ends_with(a, b) take any text"
        return typing.not_portable(pattern, "LIKE takes a pattern that is written out", mend)
    if "\\" in pattern.name:
        mend = "contains(a, '%') finds the sign itself"
        return typing.not_portable(pattern, "a backslash in a pattern means different things to engines", mend)
    return BOOLEAN


TEXT: Final = (
    Entry(
        written="a || b",
        on="text",
        gives="VARCHAR",
        meaning="`b` appended to `a`. NULL when one of the two is.",
        nodes=(exp.DPipe,),
        rule=_joined,
        examples=(("'a' || 'b'", "ab"), ("'a' || ''", "a"), ("'a' || null", None)),
    ),
    Entry(
        written="lower(a), upper(a)",
        on="text",
        gives="VARCHAR",
        meaning=(
            "In lower or upper case, letter by letter. NULL of NULL. Engines differ on letters whose other case is "
            "more than one letter, such as ß: a staging model is the place for them."
        ),
        nodes=(exp.Lower, exp.Upper),
        rule=_text,
        examples=(("lower('ÀB1')", "àb1"), ("upper('àb1')", "ÀB1"), ("upper(null)", None)),
    ),
    Entry(
        written="trim(a), ltrim(a), rtrim(a)",
        on="text",
        gives="VARCHAR",
        meaning="Without the spaces (U+0020, no other white space) at both ends, its start, its end. NULL of NULL.",
        nodes=(exp.Trim,),
        rule=_trimmed,
        examples=(
            ("trim('  a b ')", "a b"),
            ("ltrim(' a ')", "a "),
            ("rtrim(' a ')", " a"),
            ("trim(null)", None),
        ),
    ),
    Entry(
        written="length(a)",
        on="text",
        gives="BIGINT",
        meaning="The number of code points. NULL of NULL.",
        nodes=(exp.Length,),
        rule=_length,
        examples=(("length('äß€😀')", 4), ("length('')", 0), ("length(null)", None)),
    ),
    Entry(
        written="substring(a, 1, 3)",
        on="text, two constants",
        gives="VARCHAR",
        meaning=(
            "The code points from a start, counted from 1, as many as the length says, or as there are. Start and "
            "length are whole numbers written out. NULL of NULL."
        ),
        nodes=(exp.Substring,),
        rule=_part,
        examples=(
            ("substring('hello', 2, 3)", "ell"),
            ("substring('ä€😀b', 2, 2)", "€😀"),
            ("substring('hello', 9, 2)", ""),
            ("substring('hello', 1, 0)", ""),
            ("substring(null, 1, 2)", None),
        ),
    ),
    Entry(
        written="replace(a, b, c)",
        on="text",
        gives="VARCHAR",
        meaning="`a` with every `b` in it replaced by `c`, from the left; `a` when `b` is empty. NULL when one is.",
        nodes=(exp.Replace,),
        rule=_replaced,
        examples=(
            ("replace('aaa', 'aa', 'b')", "ba"),
            ("replace('a-b', '-', '')", "ab"),
            ("replace('a', '', 'b')", "a"),
            ("replace('a', 'a', null)", None),
        ),
    ),
    Entry(
        written="starts_with(a, b)",
        on="text",
        gives="BOOLEAN",
        meaning="Whether `a` begins with `b`, as everything does with an empty text. NULL when one of the two is.",
        nodes=(exp.StartsWith,),
        rule=_found,
        examples=(
            ("starts_with('abc', 'ab')", True),
            ("starts_with('abc', 'AB')", False),
            ("starts_with('abc', '')", True),
            ("starts_with(null, 'a')", None),
        ),
    ),
    Entry(
        written="ends_with(a, b)",
        on="text",
        gives="BOOLEAN",
        meaning="Whether `a` ends with `b`, as everything does with an empty text. NULL when one of the two is.",
        nodes=(exp.EndsWith,),
        rule=_found,
        examples=(
            ("ends_with('abc', 'bc')", True),
            ("ends_with('abc', 'b')", False),
            ("ends_with('abc', '')", True),
            ("ends_with('abc', null)", None),
        ),
    ),
    Entry(
        written="contains(a, b)",
        on="text",
        gives="BOOLEAN",
        meaning="Whether `b` is somewhere in `a`, as an empty text always is. NULL when one of the two is.",
        nodes=(exp.Contains,),
        rule=_found,
        examples=(
            ("contains('100%', '%')", True),
            ("contains('abc', 'B')", False),
            ("contains('abc', '')", True),
            ("contains('abc', null)", None),
        ),
    ),
    Entry(
        written="a like 'x%', a not like 'x%'",
        on="text, a constant",
        gives="BOOLEAN",
        meaning=(
            "Whether the whole of `a` matches: `%` stands for any code points or none, `_` for one, all else for "
            "itself. The pattern is written out and has no backslash and no ESCAPE. NULL of NULL."
        ),
        nodes=(exp.Like,),
        rule=_like,
        examples=(
            ("'abc' like 'a%'", True),
            ("'abc' like 'b'", False),
            ("'😀b' like '_b'", True),
            ("'abc' not like 'A%'", True),
            ("null like 'a'", None),
        ),
    ),
)
