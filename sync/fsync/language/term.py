"""An expression as a term: what it says, without how it is written.

A term is a word, or a tuple of a word and what it is said of: `(x) > 5` is
`("<", ("number", "5"), ("column", "x"))`. Case, spaces, comments and brackets are gone, and so are the
abbreviations that SQL defines by something longer. Everything else is kept: two terms are equal only
where value, type and NULLs are, whatever the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Final, TypeAlias

from sqlglot import exp

from fsync.instant import to_milliseconds
from fsync.language.portable import Columns, infer, time_constant
from fsync.language.types import DATE, DOUBLE, NULL, SqlType

Term: TypeAlias = "str | tuple[Term, ...]"

#: A DECIMAL of so many digits becomes the nearest DOUBLE, however many zeros end it.
_EXACT_DIGITS: Final = 15


def read_term(node: exp.Expr, types: Columns, names: Mapping[str, Term]) -> Term:
    """The term of an expression that has passed the checks.

    Args:
        node: the parsed expression.
        types: the columns it may name (lower case) with their types. Where one is not known, forms that
            are equal for some types only are kept apart.
        names: columns that stand for a term of their own.
    """
    return _Reader(types, names).read(node)


class _Reader:
    """Nodes to terms. What needs the types of operands is decided here, where the nodes are."""

    def __init__(self, types: Columns, names: Mapping[str, Term]) -> None:
        self.types = types
        self.names = names

    def read(self, node: exp.Expr) -> Term:
        return _RULES.get(type(node), _other)(self, node)

    def compared(self, node: exp.Expr) -> Term:
        """The operand of a comparison: there, and only there, 1.50 is 1.5, since the answer has no digits."""
        node = node.unnest()
        if isinstance(node, exp.Neg):
            return ("neg", self.compared(node.this))
        if isinstance(node, exp.Literal) and not node.is_string and "." in node.name and _is_exact(node.name):
            return ("number", node.name.rstrip("0").rstrip("."))
        return self.read(node)

    def equal(self, left: exp.Expr, right: exp.Expr) -> Term:
        return ("=", self.compared(left), self.compared(right))

    def is_pairwise(self, tested: exp.Expr, others: Iterable[exp.Expr]) -> bool:
        """Whether to compare `tested` with all others at once is to compare it with one after the other.

        At once, all become the widest type. Exact numbers stay what they are in it, unless it is DOUBLE and
        they would not have met one alone.
        """
        if self.type_of(tested) == DOUBLE:
            return True
        kinds = {self.type_of(other) for other in others} - {NULL}
        return None not in kinds and (DOUBLE not in kinds or kinds == {DOUBLE})

    def type_of(self, node: exp.Expr) -> SqlType | None:
        return infer(node, "", self.types, "")[0]


def _is_exact(number: str) -> bool:
    return "e" not in number.lower() and len(number) - 1 <= _EXACT_DIGITS


def _column(reader: _Reader, node: exp.Expr) -> Term:
    name = node.name.lower()
    return reader.names.get(name, ("column", name))


def _literal(_reader: _Reader, node: exp.Expr) -> Term:
    if node.is_string:
        return ("text", node.name)
    # as it is written, since 1.50 has another type than 1.5
    return ("double", repr(float(node.name))) if "e" in node.name.lower() else ("number", node.name)


def _greater(word: str) -> _Rule:
    """`a > b` is `b < a`, for every pair of values."""
    return lambda reader, node: (word, reader.compared(node.expression), reader.compared(node.this))


def _less(word: str) -> _Rule:
    return lambda reader, node: (word, reader.compared(node.this), reader.compared(node.expression))


def _between(reader: _Reader, node: exp.Expr) -> Term:
    """BETWEEN is short for two comparisons, but compares all three values in one type."""
    tested, ends = node.this, (node.args["low"], node.args["high"])
    low, value, high = (reader.compared(part) for part in (ends[0], tested, ends[1]))
    if reader.is_pairwise(tested, ends):
        return ("and", ("<=", low, value), ("<=", value, high))
    return ("between", value, low, high)


def _in(reader: _Reader, node: exp.Expr) -> Term:
    """IN is short for equal to one or the other, but compares all values in one type."""
    tested, items = node.this, node.expressions
    if len(items) == 1 or reader.is_pairwise(tested, items):
        return ("or", *(reader.equal(tested, item) for item in items))
    return ("in", reader.compared(tested), *sorted({reader.compared(item) for item in items}, key=repr))


def _case(reader: _Reader, node: exp.Expr) -> Term:
    """`case x when y` is short for `case when x = y`; without ELSE it is NULL."""
    subject, default = node.this, node.args.get("default")
    branches = (
        (
            "when",
            reader.read(branch.this) if subject is None else reader.equal(subject, branch.this),
            reader.read(branch.args["true"]),
        )
        for branch in node.args["ifs"]
    )
    return ("case", *branches, ("null",) if default is None else reader.read(default))


def _coalesce(reader: _Reader, node: exp.Expr) -> Term:
    """The first that is not NULL, whichever brackets are around some of them."""
    is_double = reader.type_of(node) == DOUBLE
    parts: list[Term] = []
    for part in (node.this, *node.expressions):
        term, kind = reader.read(part), reader.type_of(part)
        is_nested = isinstance(term, tuple) and term[0] == "coalesce" and isinstance(part.unnest(), exp.Coalesce)
        # a BIGINT that becomes DECIMAL before it becomes DOUBLE may be another DOUBLE
        parts += term[1:] if is_nested and kind is not None and (kind == DOUBLE) == is_double else [term]
    return ("coalesce", *parts) if len(parts) > 1 else parts[0]


def _nullif(reader: _Reader, node: exp.Expr) -> Term:
    return ("nullif", reader.read(node.this), reader.compared(node.expression))


def _cast(reader: _Reader, node: exp.Expr) -> Term:
    """A constant time is the instant, in UTC and milliseconds, that the compiler makes of it."""
    constant = time_constant(node)
    if constant is None:
        return ("cast", reader.read(node.this), node.args["to"].sql("duckdb").lower())
    text, kind = constant
    return ("date", date.fromisoformat(text).isoformat()) if kind == DATE else ("timestamp", str(to_milliseconds(text)))


def _other(reader: _Reader, node: exp.Expr) -> Term:
    """A node with nothing to say but its name and its arguments."""
    parts: list[Term] = []
    for key, value in sorted(node.args.items()):
        for item in value if isinstance(value, list) else [value]:
            if item is not None and item is not False:
                parts.append((key, reader.read(item) if isinstance(item, exp.Expr) else str(item)))
    return (node.key, *parts)


def _operator(word: str) -> _Rule:
    return lambda reader, node: (word, *(reader.read(operand) for operand in node.iter_expressions()))


_Rule: TypeAlias = Callable[[_Reader, exp.Expr], Term]

_RULES: Final[Mapping[type[exp.Expr], _Rule]] = {
    exp.Paren: lambda reader, node: reader.read(node.this),
    exp.Column: _column,
    exp.Literal: _literal,
    exp.Boolean: lambda _reader, node: ("true",) if node.this else ("false",),
    exp.Null: lambda _reader, _node: ("null",),
    exp.Neg: _operator("neg"),
    exp.Add: _operator("+"),
    exp.Sub: _operator("-"),
    exp.Mul: _operator("*"),
    exp.Div: _operator("/"),
    exp.And: _operator("and"),
    exp.Or: _operator("or"),
    exp.Not: _operator("not"),
    exp.Is: _operator("is"),
    exp.EQ: lambda reader, node: reader.equal(node.this, node.expression),
    exp.NEQ: lambda reader, node: ("not", reader.equal(node.this, node.expression)),
    exp.LT: _less("<"),
    exp.LTE: _less("<="),
    exp.GT: _greater("<"),
    exp.GTE: _greater("<="),
    exp.Between: _between,
    exp.In: _in,
    exp.Case: _case,
    exp.Coalesce: _coalesce,
    exp.Nullif: _nullif,
    exp.Cast: _cast,
}
