"""Text to syntax tree: sqlglot's DuckDB grammar, plus durations written `30d`.

Durations are joined from two tokens (a number and a name) into one before parsing, so a `30d` inside
a string or a quoted name stays what it is, and every node keeps its offset in the text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
        if token.token_type in (TokenType.BLOCK_START, TokenType.BLOCK_END):
            raise Unparsable(_fault("Jinja has no place in a spec", token.start, token.end + 1))
    try:
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
    return root


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
        raise Unparsable(_fault("a quote is not closed", 0, len(text))) from None
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


def _plain(description: str) -> str:
    """sqlglot's sentence without its class names, which say nothing to the person who wrote the spec."""
    if "missing for <class" in description:
        return "an operand or argument is missing here"
    if "Unexpected token" in description:
        return "this is unexpected in an expression"
    return f"this cannot be read as SQL: {description[0].lower()}{description[1:]}"


def _fault(message: str, start: int, end: int) -> Fault:
    return Fault("unparsable-sql", message, start, end)
