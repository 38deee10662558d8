"""The portable language: which SQL a spec may use, what it means, and the type of what it gives.

`PORTABLE` is the whole of it, and docs/portable-sql.md is printed from it. What has no entry is
`not-portable`: engines differ on it, or it does more than compute a value from one row (a subquery, an
aggregate, the clock, a file reader). A new function is a new entry, and a line in `fsync.sql.logical` where
engines spell it differently.
"""

from __future__ import annotations

from typing import Final

from sqlglot import exp

from fsync.language.expression import Fault
from fsync.language.portable.arithmetic import ARITHMETIC
from fsync.language.portable.base import Columns, Entry, Language, Typed, Typing, common_type, typed
from fsync.language.portable.comparisons import COMPARISONS
from fsync.language.portable.conditions import CONDITIONS
from fsync.language.portable.conversions import CONVERSIONS, is_time, time_constant
from fsync.language.portable.powers import POWERS
from fsync.language.portable.text import TEXT
from fsync.language.portable.times import TIMES
from fsync.language.portable.values import VALUES
from fsync.language.types import SqlType

__all__ = [
    "PORTABLE",
    "Columns",
    "Entry",
    "Typed",
    "columns_of",
    "common_type",
    "infer",
    "is_time",
    "time_constant",
    "typed",
]

PORTABLE: Final = (*VALUES, *ARITHMETIC, *POWERS, *COMPARISONS, *CONDITIONS, *TEXT, *TIMES, *CONVERSIONS)

_NODES: Final = dict.fromkeys(node for entry in PORTABLE for node in entry.nodes)
_LANGUAGE: Final[Language] = {node: tuple(entry for entry in PORTABLE if node in entry.nodes) for node in _NODES}


def infer(node: exp.Expr, text: str, columns: Columns, described: str) -> tuple[SqlType | None, tuple[Fault, ...]]:
    """The type of a scalar expression, and every fault in it. Each node is noted with its type (`typed`).

    Args:
        node: the parsed expression.
        text: what it was parsed from, for the places of faults.
        columns: the names it may use (lower case) with their types; None for a column whose type
            could not be found, which is accepted without a word, since that fault is reported elsewhere.
        described: what has these columns, for messages: `source orders_stream`.
    """
    typing = Typing(text, columns, described, _LANGUAGE)
    try:
        found = typing.type_of(node)
    except RecursionError:
        return None, (Fault("unparsable-sql", "the expression is nested too deeply", 0, len(text)),)
    return found, tuple(typing.faults)


def columns_of(node: exp.Expr) -> frozenset[str]:
    """The names of the columns an expression reads, in lower case."""
    return frozenset(column.name.lower() for column in node.find_all(exp.Column))
