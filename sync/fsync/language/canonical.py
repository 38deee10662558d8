"""The canonical form of an expression, by which hashes and duplicates are told.

Two expressions of one canonical form have the same value and type for every row, NULLs included, wherever
the engine gives one (an overflow or the order in which AND looks at its operands is the engine's own). The
reverse is not tried beyond what people spell in two ways: nothing is computed, and `+` and `*` are never
put into other brackets, which would change the digits of a DOUBLE and the type of a DECIMAL.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Final

from sqlglot import exp

from fsync.language.portable import Columns
from fsync.language.term import Term, read_term

_NOTHING_KNOWN: Final[Mapping[str, None]] = {}


def canonical(node: exp.Expr | None, types: Columns = _NOTHING_KNOWN) -> str:
    """The canonical text of an expression that has passed the checks; empty for None.

    `types` are those of its columns. Without them, fewer expressions are found to be the same.
    """
    return "" if node is None else text(normal(read_term(node, types, {})))


def text(term: Term) -> str:
    """A term on one line, so that no other term has the same."""
    return json.dumps(term, separators=(",", ":"), ensure_ascii=False)


def normal(term: Term) -> Term:
    """A term after every step that applies, parts first."""
    while isinstance(term, tuple):
        term = tuple(map(normal, term))
        changed = next((new for step in STEPS if (new := step(term)) != term), None)
        if changed is None:
            return term
        term = changed
    return term


def without_double_not(term: Term) -> Term:
    """NOT turns true and false around and leaves NULL: twice is nothing.

    A bare NULL becomes BOOLEAN by it; but where it has passed the checks, it stands where one is meant.
    """
    match term:
        case ("not", ("not", inner)):
            return inner
    return term


def with_not_inside(term: Term) -> Term:
    """De Morgan's laws hold in SQL's logic of three values."""
    match term:
        case ("not", ("and", *parts)):
            return ("or", *(("not", part) for part in parts))
        case ("not", ("or", *parts)):
            return ("and", *(("not", part) for part in parts))
    return term


def with_less_turned(term: Term) -> Term:
    """Values of a type are in one order, NaN after all numbers: what is not less is equal or greater."""
    match term:
        case ("not", ("<", left, right)):
            return ("<=", right, left)
        case ("not", ("<=", left, right)):
            return ("<", right, left)
    return term


def flattened(term: Term) -> Term:
    """AND and OR are associative in SQL's logic too."""
    match term:
        case ("and" | "or" as word, *parts):
            inner = (part[1:] if isinstance(part, tuple) and part[0] == word else (part,) for part in parts)
            return (word, *(part for some in inner for part in some))
    return term


def in_one_order(term: Term) -> Term:
    """AND and OR are commutative, and a part that stands there twice says nothing new."""
    match term:
        case ("and" | "or" as word, *parts):
            unique = sorted(set(parts), key=text)
            return unique[0] if len(unique) == 1 else (word, *unique)
    return term


def with_pair_in_order(term: Term) -> Term:
    """The two operands of `=`, `+` and `*` change places without changing value or type."""
    match term:
        case ("=" | "+" | "*" as word, left, right) if text(left) > text(right):
            return (word, right, left)
    return term


def with_bare_operands(term: Term) -> Term:
    """`/` is division in DOUBLE, and NULL for a divisor of 0, without being told."""
    match term:
        case ("/", ("cast", left, "double"), right):
            return ("/", left, right)
        case ("/", left, ("cast", right, "double") | ("nullif", right, ("number", "0"))):
            return ("/", left, right)
    return term


STEPS: Final[tuple[Callable[[Term], Term], ...]] = (
    without_double_not,
    with_not_inside,
    with_less_turned,
    flattened,
    in_one_order,
    with_pair_in_order,
    with_bare_operands,
)
