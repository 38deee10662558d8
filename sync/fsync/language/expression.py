"""Text to syntax tree: sqlglot's DuckDB grammar, plus durations written `30d`.

Durations are joined from two tokens (a number and a name) into one before parsing, so a `30d` inside
a string or a quoted name stays what it is, and every node keeps its offset in the text.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from sqlglot import Token, TokenType, exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import ParseError, TokenError


@dataclass(frozen=True)
class Fault:
    """Something wrong in an expression: characters `start` to `end` of its text (end excluded)."""

    code: str
    message: str
    start: int
    end: int
    notes: tuple[str, ...] = ()


class Unparsable(ValueError):
    """The text is no expression; `fault` says where it stops being one."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


def parse(text: str) -> exp.Expression:
    """Parse one scalar SQL expression.

    A duration becomes an unquoted column name such as `30d`, which no real column can have.

    Raises:
        Unparsable: when `text` is empty, not SQL, or more than one expression.
    """
    tokens = _tokens(text)
    if not tokens:
        raise Unparsable(_fault("the expression is empty", 0, len(text)))
    for before, token in zip([None, *tokens], tokens, strict=False):
        if token.token_type in _CLOSES_ARGUMENT and before and before.token_type == TokenType.COMMA:
            raise Unparsable(_fault("an argument is missing here", before.start, token.end + 1))
        if token.token_type == TokenType.SEMICOLON:
            raise Unparsable(_fault("one expression, without ';'", token.start, token.end + 1))
        if token.token_type == TokenType.NUMBER and (what := _number_fault(token.text)) is not None:
            raise Unparsable(_fault(what, token.start, token.end + 1))
        if token.token_type == TokenType.DAMP:
            raise Unparsable(_fault("'&&' is written and", token.start, token.end + 1))
        if token.token_type == TokenType.VAR and _CURLY.match(token.text):
            raise Unparsable(_fault("this is no quote of SQL: a text is written 'text'", token.start, token.end + 1))
        if token.token_type in (TokenType.BLOCK_START, TokenType.BLOCK_END):
            raise Unparsable(_fault("Jinja has no place in a spec", token.start, token.end + 1))
    _close(tokens)
    try:
        with _quiet():
            parsed = DuckDB().parser().parse_into(exp.Condition, tokens, text)
    except ParseError as error:
        raise Unparsable(_from_parse_error(error, text)) from None
    except RecursionError:
        raise Unparsable(_fault("the expression is nested too deeply", 0, len(text))) from None
    root = parsed[0] if parsed else None
    if not isinstance(root, exp.Expression) or root.find(exp.Command) is not None:
        raise Unparsable(_fault("this is not a scalar expression", 0, len(text)))
    for node in root.walk():
        node.pop_comments()  # a comment means nothing, and would go along into the model
        if node.error_messages():  # the parser lets `floor()` pass
            raise Unparsable(_fault(_MISSING, *span(node, text)))
        if isinstance(node, exp.Literal) and not node.is_string and (what := _number_fault(node.name)) is not None:
            raise Unparsable(_fault(what, *span(node, text)))  # `. 0.5` becomes 0.0.5
    return root


def _number_fault(text: str) -> str | None:
    """What is wrong with a number: the tokenizer lets `1e` pass, and what is larger than any DOUBLE."""
    try:
        is_large = math.isinf(float(text)) and "e" in text.lower()
    except ValueError:
        return "this is no number"
    return "this is larger than any number can be" if is_large else None


def _close(tokens: list[Token]) -> None:
    """Raise for a bracket that is open at the end, which the parser does not always mind, or closed but not open."""
    opened: list[Token] = []
    for token in tokens:
        if token.token_type in _CLOSING:
            opened.append(token)
        elif token.token_type in _CLOSING.values() and token.token_type != (
            _CLOSING[opened[-1].token_type] if opened else None
        ):
            raise Unparsable(_fault(f"this {token.text!r} closes no bracket", token.start, token.end + 1))
        elif token.token_type in _CLOSING.values():
            opened.pop()
    if opened:
        raise Unparsable(_fault(f"this {opened[-1].text!r} is not closed", opened[-1].start, opened[-1].end + 1))


_CLOSING = {
    TokenType.L_PAREN: TokenType.R_PAREN,
    TokenType.L_BRACKET: TokenType.R_BRACKET,
    TokenType.L_BRACE: TokenType.R_BRACE,
}


@contextmanager
def _quiet() -> Iterator[None]:
    """What sqlglot would warn of on stderr is a fault here, and told with its place."""
    _LOGGER.addFilter(_is_error)
    try:
        yield
    finally:
        _LOGGER.removeFilter(_is_error)


def _is_error(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.ERROR


_LOGGER = logging.getLogger("sqlglot")


def span(node: exp.Expr, text: str) -> tuple[int, int]:
    """The offsets of a node in its text: from its first to its last token that sqlglot placed."""
    starts, ends = zip(*_marks(node), strict=True) if any(_marks(node)) else ((0,), (len(text),))
    return min(starts), max(ends)


def _marks(node: exp.Expr) -> Iterator[tuple[int, int]]:
    for part in node.walk():
        meta: Mapping[str, int] = part.meta
        if "start" in meta:
            yield meta["start"], meta["end"] + 1


def _tokens(text: str) -> list[Token]:
    try:
        raw = DuckDB().tokenize(text)
    except TokenError:
        opened = next((part for part in _QUOTED.finditer(text) if part["opened"]), None)
        what = "comment" if opened is not None and opened["opened"] == "/*" else "quote"
        raise Unparsable(
            _fault(f"a {what} is not closed", 0 if opened is None else opened.start(), len(text))
        ) from None
    tokens: list[Token] = []
    for token in raw:
        before = tokens[-1] if tokens else None
        if (
            before is not None
            and before.token_type == TokenType.NUMBER
            and token.token_type not in _SYMBOLS
            and before.end + 1 == token.start
            and text[token.start].isalpha()
        ):
            joined = text[before.start : token.end + 1]
            tokens[-1] = Token(TokenType.VAR, joined, token.line, token.col, before.start, token.end, token.comments)
        else:
            tokens.append(token)
    return tokens


#: what word processors make of quotes
_CURLY = re.compile("[‘’‚“”„]")
#: texts, names and comments; or what opens one that is not closed
_QUOTED = re.compile(
    r"""'[^']*'|"[^"]*"|--[^\n]*|/\*.*?\*/|\$(\w*)\$.*?\$\1\$|(?P<opened>'|"|/\*|\$\w*\$)""", re.DOTALL
)
_SYMBOLS = frozenset({TokenType.STRING, TokenType.NUMBER, TokenType.IDENTIFIER})
_CLOSES_ARGUMENT = frozenset({TokenType.COMMA, TokenType.R_PAREN})


def _from_parse_error(error: ParseError, text: str) -> Fault:
    # sqlglot wraps the failure of `parse_into`; the innermost error knows where it stopped
    cause: BaseException | None = error
    details = error.errors
    while cause is not None:
        if isinstance(cause, ParseError) and any(item.get("col") for item in cause.errors):
            details = cause.errors
        cause = cause.__cause__
    item = next((entry for entry in details if entry.get("col")), None)
    if item is None:
        return _fault("this is not a scalar SQL expression", 0, len(text))
    highlight = str(item.get("highlight") or "")
    lines = text.splitlines(keepends=True) or [""]
    end = sum(len(line) for line in lines[: int(item["line"] or 1) - 1]) + int(item["col"] or 0)
    start = max(0, end - max(1, len(highlight)))
    what = str(item.get("description") or "this is not SQL").rstrip(".")
    return _fault(_plain(what), start, min(end, len(text)))


_MISSING = "an operand or argument is missing here"


def _plain(description: str) -> str:
    """sqlglot's sentence without its class names, which say nothing to the person who wrote the spec."""
    if description.startswith("Expecting )"):
        return "a ')' or a comma is missing here"
    if "missing for <class" in description:
        return _MISSING
    if "Unexpected token" in description:
        return "this is unexpected in an expression"
    return f"this cannot be read as SQL: {description[0].lower()}{description[1:]}"


def _fault(message: str, start: int, end: int) -> Fault:
    return Fault("unparsable-sql", message, start, end)
