"""The portable scalar language: which SQL a spec may use, and the type of what it gives.

One rule per syntax node. A node without a rule is `not-portable`: engines differ on it, or it does
more than compute a value from one row (a subquery, an aggregate, the clock, a file reader). What each
operator means is the table in docs/specs.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from sqlglot import exp

from fsync.instant import to_milliseconds
from fsync.language.expression import Fault, span
from fsync.language.suggest import which_columns
from fsync.language.types import (
    BIGINT,
    BOOLEAN,
    DATE,
    DOUBLE,
    MAX_PRECISION,
    NULL,
    TIMESTAMP,
    VARCHAR,
    SqlType,
    decimal,
)

Columns = Mapping[str, SqlType | None]


class _Typing:
    """One expression being typed: its text, the columns it may name, and the faults found so far."""

    def __init__(self, text: str, columns: Columns, described: str) -> None:
        self.text = text
        self.columns = columns
        self.described = described
        self.faults: list[Fault] = []

    def type_of(self, node: exp.Expr) -> SqlType | None:
        """The type of `node`, or None when a fault (in it, or elsewhere in the project) hides it."""
        rule = _RULES.get(type(node))
        if rule is None:
            what = _name(node, self.text[span(node, self.text)[0] :])
            return self.fault("not-portable", node, f"{what} is not part of the portable language")
        return rule(self, node)

    def fault(self, code: str, node: exp.Expr, message: str, *notes: str) -> SqlType | None:
        """Note a fault; what it stands in has no type, so this returns None."""
        start, end = span(node, self.text)
        self.faults.append(Fault(code, message, start, end, notes))
        return None

    def mismatch(self, node: exp.Expr, message: str) -> SqlType | None:
        return self.fault("type-mismatch", node, message)


def infer(node: exp.Expr, text: str, columns: Columns, described: str) -> tuple[SqlType | None, tuple[Fault, ...]]:
    """The type of a scalar expression, and every fault in it.

    Args:
        node: the parsed expression.
        text: what it was parsed from, for the places of faults.
        columns: the names it may use (lower case) with their types; None for a column whose type
            could not be found, which is accepted without a word, since that fault is reported elsewhere.
        described: what has these columns, for messages: `source orders_stream`.
    """
    typing = _Typing(text, columns, described)
    try:
        found = typing.type_of(node)
    except RecursionError:
        return None, (Fault("unparsable-sql", "the expression is nested too deeply", 0, len(text)),)
    return found, tuple(typing.faults)


def is_time(text: str, kind: SqlType) -> bool:
    """Whether a text is a constant of type DATE or TIMESTAMP, in ISO 8601."""
    try:
        if kind == DATE:
            date.fromisoformat(text)
        else:
            to_milliseconds(text)
    except ValueError:
        return False
    return True


def columns_of(node: exp.Expr) -> frozenset[str]:
    """The names of the columns an expression reads, in lower case."""
    return frozenset(column.name.lower() for column in node.find_all(exp.Column))


def common_type(left: SqlType, right: SqlType) -> SqlType | None:
    """The type that holds both without loss of meaning, or None: numbers widen, NULL fits anything."""
    if left == right or right == NULL:
        return left
    if left == NULL:
        return right
    if not (left.is_number and right.is_number):
        return None
    if DOUBLE in (left, right):
        return DOUBLE
    one, other = _as_decimal(left), _as_decimal(right)
    scale = max(one[1], other[1])
    return decimal(max(one[0] - one[1], other[0] - other[1]) + scale, scale)


def _as_decimal(number: SqlType) -> tuple[int, int]:
    return (19, 0) if number.is_integer else (number.precision or 0, number.scale or 0)


def _name(node: exp.Expr, written: str) -> str:
    """What a person would call a node; `written` is the text from its start on."""
    function = re.match(r"\w+(?=\s*\()", written)
    if isinstance(node, exp.Window):
        return "OVER (…)"
    if isinstance(node, exp.Func) and function is not None:
        kind = "the aggregate" if isinstance(node, exp.AggFunc) else "the function"
        return f"{kind} {function[0].lower()}()"
    names = {"subquery": "a subquery", "star": "*", "interval": "an interval", "struct": "{…}"}
    return names.get(node.key, repr(node.key))


# ---------------------------------------------------------------- one rule per node


def _column(typing: _Typing, node: exp.Expr) -> SqlType | None:
    name = node.name
    if node.args.get("table") is not None:
        return typing.fault("not-portable", node, "a column is written without a table in front of it")
    if name[:1].isdigit():
        return typing.fault("bad-duration", node, f"the duration {name} stands only as the last argument of a window")
    if name.lower() not in typing.columns:
        notes = which_columns(name, typing.columns)
        return typing.fault("unknown-column", node, f"{typing.described} has no column {name!r}", *notes)
    return typing.columns[name.lower()]


def _literal(typing: _Typing, node: exp.Expr) -> SqlType | None:
    if node.is_string:
        return VARCHAR
    text = node.name
    if "e" in text.lower():
        return DOUBLE
    whole, _, fraction = text.partition(".")
    digits = len(whole.lstrip("0")) + len(fraction)
    if not fraction and digits <= 18:
        return BIGINT
    if digits > MAX_PRECISION:
        return typing.mismatch(node, f"the number {text} has more than {MAX_PRECISION} digits")
    return decimal(max(digits, 1), len(fraction))


def _boolean(_typing: _Typing, _node: exp.Expr) -> SqlType | None:
    return BOOLEAN


def _null(_typing: _Typing, _node: exp.Expr) -> SqlType | None:
    return NULL


def _paren(typing: _Typing, node: exp.Expr) -> SqlType | None:
    return typing.type_of(node.this)


def _expect(typing: _Typing, node: exp.Expr, accepts: Callable[[SqlType], bool], what: str) -> SqlType | None:
    """The type of an operand that has to be of some kind; None after a fault."""
    found = typing.type_of(node)
    if found is not None and found != NULL and not accepts(found):
        return typing.mismatch(node, f"{what} is needed here, and this is {found}")
    return found


def _number(typing: _Typing, node: exp.Expr) -> SqlType | None:
    return _expect(typing, node, lambda kind: kind.is_number, "a number")


def _truth(typing: _Typing, node: exp.Expr) -> SqlType | None:
    return _expect(typing, node, lambda kind: kind == BOOLEAN, "a condition")


def _numbers(typing: _Typing, node: exp.Expr) -> tuple[SqlType, SqlType] | None:
    left, right = _number(typing, node.this), _number(typing, node.expression)
    return (left, right) if left is not None and right is not None else None


def _sum(typing: _Typing, node: exp.Expr) -> SqlType | None:
    if (both := _numbers(typing, node)) is None:
        return None
    common = common_type(*both)
    if common is None or common.precision is None or common.scale is None:
        return common
    return decimal(common.precision + 1, common.scale)


def _product(typing: _Typing, node: exp.Expr) -> SqlType | None:
    if (both := _numbers(typing, node)) is None:
        return None
    common = common_type(*both)
    if common is None or common.precision is None:
        return common
    (left, left_scale), (right, right_scale) = (_as_decimal(side) for side in both)
    if left_scale + right_scale > MAX_PRECISION:
        return typing.mismatch(node, f"the product has more than {MAX_PRECISION} digits after the point")
    return decimal(left + right, left_scale + right_scale)


def _quotient(typing: _Typing, node: exp.Expr) -> SqlType | None:
    return DOUBLE if _numbers(typing, node) is not None else None


def _sign(typing: _Typing, node: exp.Expr) -> SqlType | None:
    return _number(typing, node.this)


def _text(typing: _Typing, node: exp.Expr) -> SqlType | None:
    _expect(typing, node.this, lambda kind: kind == VARCHAR, "a text")
    return VARCHAR


def _condition(typing: _Typing, node: exp.Expr) -> SqlType | None:
    for side in node.iter_expressions():
        _truth(typing, side)
    return BOOLEAN


def _unified(typing: _Typing, parts: list[exp.Expr], verb: str) -> SqlType | None:
    """The common type of several parts, or None after a fault."""
    result: SqlType | None = NULL
    for part in parts:
        found = typing.type_of(part)
        if found is None or result is None:
            result = None
        elif (wider := common_type(result, found)) is None:
            typing.mismatch(part, f"{result} and {found} cannot be {verb}")
            result = None
        else:
            result = wider
    return result


def _comparison(typing: _Typing, node: exp.Expr) -> SqlType | None:
    if node.args.get("symmetric"):
        return typing.fault("not-portable", node, "BETWEEN takes the lower value first, without SYMMETRIC")
    _unified(typing, list(node.iter_expressions()), "compared")
    return BOOLEAN


def _is(typing: _Typing, node: exp.Expr) -> SqlType | None:
    if not isinstance(node.expression, exp.Null | exp.Boolean):
        return typing.fault("not-portable", node, "IS takes NULL, TRUE or FALSE")
    _unified(typing, [node.this, node.expression], "compared")
    return BOOLEAN


def _in(typing: _Typing, node: exp.Expr) -> SqlType | None:
    if not node.expressions:
        return typing.fault("not-portable", node, "IN takes a list of values in brackets")
    _unified(typing, [node.this, *node.expressions], "compared")
    return BOOLEAN


def _case(typing: _Typing, node: exp.Expr) -> SqlType | None:
    branches = node.args["ifs"]
    if node.this is not None:
        _unified(typing, [node.this, *(branch.this for branch in branches)], "compared")
    else:
        for branch in branches:
            _truth(typing, branch.this)
    values = [branch.args["true"] for branch in branches]
    default = node.args.get("default")
    return _unified(typing, values if default is None else [*values, default], "results of one CASE")


def _coalesce(typing: _Typing, node: exp.Expr) -> SqlType | None:
    return _unified(typing, [node.this, *node.expressions], "results of one COALESCE")


def _nullif(typing: _Typing, node: exp.Expr) -> SqlType | None:
    first = typing.type_of(node.this)
    second = typing.type_of(node.expression)
    if first is not None and second is not None and common_type(first, second) is None:
        typing.mismatch(node.expression, f"{first} and {second} cannot be compared")
    return first


def _cast(typing: _Typing, node: exp.Expr) -> SqlType | None:
    found = typing.type_of(node.this)
    target = _CASTS.get(node.args["to"].this)
    if target == DOUBLE and (found is None or found.is_number or found == NULL):
        return DOUBLE
    if target in (DATE, TIMESTAMP) and isinstance(node.this, exp.Literal) and node.this.is_string:
        return target if is_time(node.this.name, target) else typing.mismatch(node.this, f"this is not a {target}")
    return typing.fault(
        "not-portable",
        node,
        "engines round and parse differently in this CAST",
        "portable are: cast(<number> as double), date '2024-01-31', timestamp '2024-01-31 12:00:00'",
    )


_CASTS: Final = {
    exp.DType.DOUBLE: DOUBLE,
    exp.DType.DATE: DATE,
    exp.DType.TIMESTAMP: TIMESTAMP,
    exp.DType.TIMESTAMPNTZ: TIMESTAMP,
}

_Rule = Callable[[_Typing, exp.Expr], SqlType | None]

_RULES: Final[Mapping[type[exp.Expr], _Rule]] = {
    exp.Column: _column,
    exp.Literal: _literal,
    exp.Boolean: _boolean,
    exp.Null: _null,
    exp.Paren: _paren,
    exp.Add: _sum,
    exp.Sub: _sum,
    exp.Mul: _product,
    exp.Div: _quotient,
    exp.Neg: _sign,
    exp.Abs: _sign,
    exp.Lower: _text,
    exp.Upper: _text,
    exp.And: _condition,
    exp.Or: _condition,
    exp.Not: _condition,
    exp.EQ: _comparison,
    exp.NEQ: _comparison,
    exp.LT: _comparison,
    exp.LTE: _comparison,
    exp.GT: _comparison,
    exp.GTE: _comparison,
    exp.Between: _comparison,
    exp.Is: _is,
    exp.In: _in,
    exp.Case: _case,
    exp.Coalesce: _coalesce,
    exp.Nullif: _nullif,
    exp.Cast: _cast,
}
