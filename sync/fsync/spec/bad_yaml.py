"""What is wrong with a file that is no YAML: PyYAML's errors as issues with a place, in words for people."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import yaml

from fsync.spec.issue import Issue, Place

#: where YAML ends a line
BREAK: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")

TOO_DEEP: Final = "this is nested too deeply"
UNFOLDS: Final = "its aliases unfold to more values than anybody means"
IN_ITSELF: Final = "a mapping is merged into itself"
_COLUMN: Final = "the keys of a mapping begin in one column, each with ': ' behind it; so do the '-' of a list"
_IN_QUOTES: Final = "a text that begins with {sign!r} is put in quotes"


@dataclass(frozen=True)
class _Said:
    """What PyYAML says, as a pattern, and what that means to a person; `is_begun` where the fault begins earlier."""

    problem: str
    what: str
    mend: tuple[str, ...] = ()
    is_begun: bool = False


_SAID: Final = (
    _Said("unexpected end of stream|document indicator", "a quote is not closed", is_begun=True),
    _Said("expected ',' or ']'", "a '[' is not closed, or there is no comma between two items", is_begun=True),
    _Said("expected ',' or '}'", "a '{{' is not closed, or there is no comma between two keys", is_begun=True),
    _Said("mapping values are not", "': ' cannot stand here", (_COLUMN, "a text with ': ' in it is put in quotes")),
    _Said(
        "sequence entries are not", "'- ' cannot stand here", (_COLUMN, "a text with '- ' before it is put in quotes")
    ),
    _Said(
        "expected key|'-' indicator|<document start>|<block end>", "this does not go on with what is above", (_COLUMN,)
    ),
    _Said("expected node content", "there is no value here"),
    _Said(
        "undefined alias", "there is no anchor of this name", ("an anchor stands before its alias: defaults: &name",)
    ),
    _Said("second occurrence", "this anchor stands here a second time"),
    _Said("another document", "a second document begins here", ("features of one file are a list: features:",)),
    _Said("for the tag|undefined tag handle", "the tag {word} has no meaning in a spec", (_IN_QUOTES,)),
    _Said("unhashable key", "a key is a text, and this is a list or a mapping"),
    _Said("for merging", "'<<' takes a mapping, or a list of mappings", ("such as *name, of an anchor &name",)),
    _Said("(unknown|character) escape", "YAML knows no such escape", ("a text with '\\' is put in single quotes",)),
    _Said("comment or line break", "{sign!r} begins a block of lines", (_IN_QUOTES,), is_begun=True),
    _Said(
        "cannot start any|alphabetic or numeric", "no text begins with {sign!r}", ("put it in quotes",), is_begun=True
    ),
    _Said("nesting depth", TOO_DEEP),
    _Said(f"{UNFOLDS}|{IN_ITSELF}", "{problem}"),
)
_WORD: Final = re.compile(r"[*&!][^\s,\[\]{}]*|<<|\\.")


def fault_of_yaml(file: str, lines: tuple[str, ...], error: yaml.YAMLError) -> Issue:
    """What PyYAML says of a file, in words for people, at the sign where somebody mends it."""
    problem = str(getattr(error, "problem", None) or error)
    mark, begun = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    said = next((said for said in _SAID if re.search(said.problem, problem)), None)
    mark = begun if begun is not None and (mark is None or (said is not None and said.is_begun)) else mark
    line, column = (0, 0) if mark is None else (mark.line, mark.column)
    text = lines[line] if line < len(lines) else ""
    sign, before = text[column : column + 1], text[:column].rstrip()
    if sign == "\t":
        return fault_at(file, lines, line, column, "YAML is not indented with tabs", ("indent with spaces",))
    if said is None:
        return fault_at(file, lines, line, column, f"this is not YAML: {problem}")
    if "{{" in text[max(0, column - 1) : column + 2]:
        mend = "a dbt model or source is written by its name: source: orders"
        return fault_at(file, lines, line, text.find("{{", max(0, column - 1)), "Jinja has no place in a spec", (mend,))
    if before.endswith(("'", '"')) and "did not find expected" in problem and "'" not in problem:
        mend = "put the whole value in quotes of the other kind"
        return fault_at(file, lines, line, column, "nothing can follow a text in quotes", (mend,))
    word = _WORD.match(text, column)
    about = {"sign": sign, "problem": problem, "word": sign if word is None else word[0]}
    notes = (note.format(**about) for note in said.mend)
    return fault_at(file, lines, line, column, said.what.format(**about), tuple(notes))


def fault_after(before: str, file: str, lines: tuple[str, ...], what: str, mend: str) -> Issue:
    """A fault at the sign that follows a text."""
    above = BREAK.split(before)
    return fault_at(file, lines, len(above) - 1, len(above[-1]), what, (mend,))


def fault_at(
    file: str, lines: tuple[str, ...], line: int, column: int, what: str, notes: tuple[str, ...] = ()
) -> Issue:
    """A fault at a sign of a file, and the word that it begins; of the end of a file, at the end of its last line."""
    while line > 0 and not "".join(lines[line:]):
        line, column = line - 1, len(lines[min(line, len(lines)) - 1])
    shown = lines[line]
    column = min(column, len(shown))
    word = _WORD.match(shown, column)
    place = Place(file, line + 1, column + 1, 1 if word is None else len(word[0]), shown)
    return Issue("bad-yaml", what, place, notes)
