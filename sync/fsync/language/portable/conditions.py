"""Conditions, and choosing between values."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from sqlglot import exp

from fsync.language.portable.base import Entry, Typing, common_type, digits, typed
from fsync.language.types import BOOLEAN, MAX_PRECISION, UUID, SqlType


def _condition(typing: Typing, node: exp.Expr) -> SqlType | None:
    for side in node.iter_expressions():
        typing.truth(side)
    return BOOLEAN


def _one_of(typing: Typing, parts: list[exp.Expr], where: str) -> SqlType | None:
    """The type of a value that is one of several."""
    result = typing.unified(parts, f"results of one {where}")
    if result is None or result.precision != MAX_PRECISION:
        return result
    kinds = [found.gives for part in parts if (found := typed(part)) is not None]
    wholes = max(precision - scale for precision, scale in map(digits, kinds))
    if wholes + (result.scale or 0) > MAX_PRECISION:  # DuckDB then cuts digits off without a word
        decimals = ", ".join(dict.fromkeys(map(str, kinds)))
        mend = f"cast them to one type: cast(a as {result})"
        return typing.mismatch(parts[-1], f"no type of {MAX_PRECISION} digits holds all of {decimals}", mend)
    return result


def _case(typing: Typing, node: exp.Expr) -> SqlType | None:
    branches = node.args["ifs"]
    if node.this is not None:
        typing.unified([node.this, *(branch.this for branch in branches)], "compared")
    else:
        for branch in branches:
            typing.truth(branch.this)
    values = [branch.args["true"] for branch in branches]
    default = node.args.get("default")
    return _one_of(typing, values if default is None else [*values, default], "CASE")


def _coalesce(typing: Typing, node: exp.Expr) -> SqlType | None:
    return _one_of(typing, [node.this, *node.expressions], "COALESCE")


def _extreme(typing: Typing, node: exp.Expr) -> SqlType | None:
    name = "GREATEST" if isinstance(node, exp.Greatest) else "LEAST"
    found = _one_of(typing, [node.this, *node.expressions], name)
    if found == UUID:
        return typing.mismatch(node, "uuids have no order that engines agree on")
    return found


def _nullif(typing: Typing, node: exp.Expr) -> SqlType | None:
    first = typing.type_of(node.this)
    second = typing.type_of(node.expression)
    if first is not None and second is not None and common_type(first, second) is None:
        typing.mismatch(node.expression, f"{first} and {second} cannot be compared")
    return first


_ALIKE: Final = "values of one type, or numbers"
_COMMON: Final = "their type; of several kinds of numbers the one that holds all"

CONDITIONS: Final = (
    Entry(
        written="a and b, a or b, not a",
        on="conditions",
        gives="BOOLEAN",
        meaning="SQL's logic of three values: NULL is unknown, and the result is NULL where it hangs on it.",
        nodes=(exp.And, exp.Or, exp.Not),
        rule=_condition,
        examples=(("true and null", None), ("false and null", False), ("true or null", True), ("not null", None)),
    ),
    Entry(
        written="case when a then b else c end",
        on=f"conditions; {_ALIKE}",
        gives=_COMMON,
        meaning="The value behind the first condition that is true; NULL without one and without `else`.",
        nodes=(exp.Case,),
        rule=_case,
        examples=(
            ("case when null then 1 when true then 2.5 else 3 end", Decimal("2.5")),
            ("case when false then 'a' end", None),
            ("case 2 when 1 then 'one' when 2 then 'two' end", "two"),
        ),
    ),
    Entry(
        written="coalesce(a, b)",
        on=_ALIKE,
        gives=_COMMON,
        meaning="The first that is not NULL, of two or more; NULL when all are.",
        nodes=(exp.Coalesce,),
        rule=_coalesce,
        examples=(("coalesce(null, 2, 3)", 2), ("coalesce(1, 2.5)", Decimal("1.0")), ("coalesce(null, null)", None)),
    ),
    Entry(
        written="nullif(a, b)",
        on=_ALIKE,
        gives="the type of `a`",
        meaning="NULL when `a = b`, else `a`.",
        nodes=(exp.Nullif,),
        rule=_nullif,
        examples=(("nullif(1.5, 0)", Decimal("1.5")), ("nullif(0, 0.0)", None), ("nullif('a', null)", "a")),
    ),
    Entry(
        written="greatest(a, b)",
        on=f"{_ALIKE}, but UUID",
        gives=_COMMON,
        meaning="The largest of two or more; those that are NULL are skipped, NULL when all are.",
        nodes=(exp.Greatest,),
        rule=_extreme,
        examples=(
            ("greatest(1, 2.5, null)", Decimal("2.5")),
            ("greatest('a', 'B')", "a"),
            ("greatest(null, null)", None),
        ),
    ),
    Entry(
        written="least(a, b)",
        on=f"{_ALIKE}, but UUID",
        gives=_COMMON,
        meaning="The smallest of two or more; those that are NULL are skipped, NULL when all are.",
        nodes=(exp.Least,),
        rule=_extreme,
        examples=(("least(1, null, 2e0)", 1.0), ("least(true, false)", False), ("least(null, null)", None)),
    ),
)
