"""Comparisons: two values of one type, or two numbers, to a truth value or NULL."""

from __future__ import annotations

from typing import Final

from sqlglot import exp

from fsync.language.portable.base import Entry, Typing
from fsync.language.types import BOOLEAN, UUID, SqlType


def _equality(typing: Typing, node: exp.Expr) -> SqlType | None:
    typing.unified(list(node.iter_expressions()), "compared")
    return BOOLEAN


def _order(typing: Typing, node: exp.Expr) -> SqlType | None:
    if node.args.get("symmetric"):
        return typing.not_portable(node, "BETWEEN takes the lower value first, without SYMMETRIC")
    if typing.unified(list(node.iter_expressions()), "compared") == UUID:
        mend = "their texts have one: cast(a as varchar)"
        return typing.mismatch(node, "uuids have no order that engines agree on", mend)
    return BOOLEAN


def _in(typing: Typing, node: exp.Expr) -> SqlType | None:
    if not node.expressions:
        return typing.not_portable(node, "IN takes a list of values in brackets")
    typing.unified([node.this, *node.expressions], "compared")
    return BOOLEAN


def _is(typing: Typing, node: exp.Expr) -> SqlType | None:
    if not isinstance(node.expression, exp.Null | exp.Boolean):
        return typing.not_portable(node, "IS takes NULL, TRUE or FALSE")
    typing.unified([node.this, node.expression], "compared")
    return BOOLEAN


_ALIKE: Final = "two values of one type, or two numbers"

COMPARISONS: Final = (
    Entry(
        written="a = b, a <> b",
        on=_ALIKE,
        gives="BOOLEAN",
        meaning="NULL when one of the two is. Texts are equal when their characters are: case and final spaces count.",
        nodes=(exp.EQ, exp.NEQ),
        rule=_equality,
        examples=(("1 = 1.0", True), ("'a' = 'A'", False), ("'a' <> 'a '", True), ("1 = null", None)),
    ),
    Entry(
        written="a < b, a <= b, a > b, a >= b",
        on=f"{_ALIKE}, but UUID",
        gives="BOOLEAN",
        meaning="NULL when one of the two is. Texts are in the order of their bytes in UTF-8, false comes before true.",
        nodes=(exp.LT, exp.LTE, exp.GT, exp.GTE),
        rule=_order,
        examples=(("1 < 1.5", True), ("'B' < 'a'", True), ("'é' < 'z'", False), ("false >= true", False)),
    ),
    Entry(
        written="a between b and c",
        on=f"{_ALIKE}, but UUID",
        gives="BOOLEAN",
        meaning="`a >= b and a <= c`.",
        nodes=(exp.Between,),
        rule=_order,
        examples=(("2 between 1 and 2", True), ("2 between 3 and 1", False), ("2 between null and 1", False)),
    ),
    Entry(
        written="a in (b, c)",
        on=_ALIKE,
        gives="BOOLEAN",
        meaning="`a = b or a = c`: NULL when `a` is, or when none is equal and one is NULL.",
        nodes=(exp.In,),
        rule=_in,
        examples=(("2 in (1, 2)", True), ("2 in (1, null)", None), ("2 not in (1, 3)", True)),
    ),
    Entry(
        written="a is null, a is true, a is false",
        on="any; conditions",
        gives="BOOLEAN",
        meaning="True or false, never NULL; with `not` before the last word, the opposite.",
        nodes=(exp.Is,),
        rule=_is,
        examples=(("null is null", True), ("(1 > null) is true", False), ("(1 > null) is not true", True)),
    ),
    Entry(
        written="a is distinct from b, a is not distinct from b",
        on=_ALIKE,
        gives="BOOLEAN",
        meaning="`<>` and `=` to which NULL is a value like others: true or false, never NULL.",
        nodes=(exp.NullSafeNEQ, exp.NullSafeEQ),
        rule=_equality,
        examples=(
            ("1 is distinct from null", True),
            ("null is distinct from null", False),
            ("1 is not distinct from 1.0", True),
            ("id is not distinct from id", True),
        ),
    ),
)
