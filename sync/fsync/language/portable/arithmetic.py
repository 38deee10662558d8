"""Sums, products, remainders and rounding. BIGINT and DECIMAL are exact, or the build fails."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from sqlglot import exp

from fsync.language.portable.base import Entry, Typing, common_type, digits
from fsync.language.types import BIGINT, DOUBLE, MAX_PRECISION, SqlType, decimal


def _numbers(typing: Typing, node: exp.Expr) -> tuple[SqlType, SqlType] | None:
    spans = [side for side in (node.this, node.expression) if isinstance(side, exp.Interval)]
    if spans:
        typing.type_of(spans[0])
        return None
    left, right = typing.number(node.this), typing.number(node.expression)
    return (left, right) if left is not None and right is not None else None


def _sum(typing: Typing, node: exp.Expr) -> SqlType | None:
    if (both := _numbers(typing, node)) is None:
        return None
    common = common_type(*both)
    if common is None or common.precision is None or common.scale is None:
        return common
    return decimal(common.precision + 1, common.scale)


def _product(typing: Typing, node: exp.Expr) -> SqlType | None:
    if (both := _numbers(typing, node)) is None:
        return None
    common = common_type(*both)
    if common is None or common.precision is None:
        return common
    (left, left_scale), (right, right_scale) = (digits(side) for side in both)
    if left_scale + right_scale > MAX_PRECISION:
        return typing.mismatch(node, f"the product has more than {MAX_PRECISION} digits after the point")
    return decimal(left + right, left_scale + right_scale)


def _quotient(typing: Typing, node: exp.Expr) -> SqlType | None:
    return DOUBLE if _numbers(typing, node) is not None else None


def _remainder(typing: Typing, node: exp.Expr) -> SqlType | None:
    mend = "a - b * floor(a / b) is the remainder of doubles"
    left, right = typing.exact(node.this, mend), typing.exact(node.expression, mend)
    if left is None or right is None:
        return None
    common = common_type(left, right)
    # engines go on in DOUBLE, or cut digits off, where the two together have more
    (one, one_scale), (other, other_scale) = digits(left), digits(right)
    if max(one - one_scale, other - other_scale) + max(one_scale, other_scale) > MAX_PRECISION:
        return typing.mismatch(node, f"{left} and {right} together have more than {MAX_PRECISION} digits")
    return common


def _same(typing: Typing, node: exp.Expr) -> SqlType | None:
    return typing.number(node.this)


def _sign(typing: Typing, node: exp.Expr) -> SqlType | None:
    return BIGINT if typing.number(node.this) is not None else None


def _whole(typing: Typing, node: exp.Expr) -> SqlType | None:
    """`floor` and `ceil`: the number without digits after its point."""
    found = typing.number(node.this)
    if node.args.get("decimals") is not None:
        what = "floor" if isinstance(node, exp.Floor) else "ceil"
        return typing.not_portable(node, f"{what}() takes one number", f"write {what}(a * 100) / 100")
    return _with_scale(found, 0)


def _rounded(typing: Typing, node: exp.Expr) -> SqlType | None:
    found, places = typing.number(node.this), node.args.get("decimals")
    if found == DOUBLE:
        mend = "write floor(a * 100 + 0.5) / 100"
        return typing.not_portable(node, "engines round the last digit of a double differently", mend)
    if places is not None and not (isinstance(places, exp.Literal) and places.name.isdigit()):
        return typing.not_portable(places, "round() takes a number of digits that is written out, 0 or more")
    return _with_scale(found, 0 if places is None else int(places.name))


def _with_scale(number: SqlType | None, scale: int) -> SqlType | None:
    if number is None or number.precision is None or number.scale is None:
        return number
    return decimal(number.precision, min(scale, number.scale))


_BOTH: Final = "DOUBLE when one of the two is; of exact numbers exact: BIGINT of two BIGINTs, else DECIMAL"

ARITHMETIC: Final = (
    Entry(
        written="a + b, a - b",
        on="numbers",
        gives=_BOTH,
        meaning="NULL when one of the two is. A result that does not fit is an error of the build.",
        nodes=(exp.Add, exp.Sub),
        rule=_sum,
        examples=(("2 + 0.50", Decimal("2.50")), ("1 - 2", -1), ("0.5 + 1e0", 1.5), ("1 + null", None)),
    ),
    Entry(
        written="a * b",
        on="numbers",
        gives=_BOTH,
        meaning="NULL when one of the two is. The digits after the point add up: `0.10 * 0.10` is `0.0100`.",
        nodes=(exp.Mul,),
        rule=_product,
        examples=(
            ("3 * 4", 12),
            ("0.10 * 0.10", Decimal("0.0100")),
            ("99999999999.9 * 99999999999.9", Decimal("9999999999980000000000.01")),
            ("1.5 * null", None),
        ),
    ),
    Entry(
        written="a / b",
        on="numbers",
        gives="DOUBLE",
        meaning="NULL when one of the two is, and when `b` is 0.",
        nodes=(exp.Div,),
        rule=_quotient,
        examples=(("7 / 2", 3.5), ("7 / 0", None), ("null / 2", None)),
    ),
    Entry(
        written="a % b",
        on="BIGINT, DECIMAL",
        gives="BIGINT of two BIGINTs, else DECIMAL",
        meaning="The remainder, with the sign of `a`. NULL when one of the two is, and when `b` is 0.",
        nodes=(exp.Mod,),
        rule=_remainder,
        examples=(
            ("7 % 3", 1),
            ("-7 % 3", -1),
            ("7 % -3", 1),
            ("7.5 % 2", Decimal("1.5")),
            ("7 % 0", None),
            ("null % 2", None),
        ),
    ),
    Entry(
        written="-a",
        on="numbers",
        gives="the type of `a`",
        meaning="The number with the other sign. NULL of NULL.",
        nodes=(exp.Neg,),
        rule=_same,
        examples=(("-(1.5)", Decimal("-1.5")), ("-(2 - 3)", 1)),
    ),
    Entry(
        written="abs(a)",
        on="numbers",
        gives="the type of `a`",
        meaning="The number without its sign. NULL of NULL.",
        nodes=(exp.Abs,),
        rule=_same,
        examples=(("abs(-1.5)", Decimal("1.5")), ("abs(0)", 0), ("abs(null)", None)),
    ),
    Entry(
        written="sign(a)",
        on="numbers",
        gives="BIGINT",
        meaning="1 above zero, 0 at zero, -1 below it. NULL of NULL.",
        nodes=(exp.Sign,),
        rule=_sign,
        examples=(("sign(2.5)", 1), ("sign(0)", 0), ("sign(-1e3)", -1), ("sign(null)", None)),
    ),
    Entry(
        written="floor(a)",
        on="numbers",
        gives="BIGINT, DOUBLE of the same; DECIMAL(p,0) of DECIMAL(p,s)",
        meaning="The largest whole number that is not above `a`. NULL of NULL.",
        nodes=(exp.Floor,),
        rule=_whole,
        examples=(
            ("floor(2.7)", Decimal(2)),
            ("floor(-2.5e0)", -3.0),
            ("floor(900719925474099301)", 900719925474099301),
            ("floor(null)", None),
        ),
    ),
    Entry(
        written="ceil(a)",
        on="numbers",
        gives="BIGINT, DOUBLE of the same; DECIMAL(p,0) of DECIMAL(p,s)",
        meaning="The smallest whole number that is not below `a`. NULL of NULL.",
        nodes=(exp.Ceil,),
        rule=_whole,
        examples=(
            ("ceil(2.1)", Decimal(3)),
            ("ceil(99.5)", Decimal(100)),
            ("ceil(-2.5e0)", -2.0),
            ("ceil(7)", 7),
            ("ceil(null)", None),
        ),
    ),
    Entry(
        written="round(a), round(a, 2)",
        on="BIGINT, DECIMAL",
        gives="BIGINT of the same; DECIMAL(p,n) of DECIMAL(p,s)",
        meaning=(
            "Rounded to `n` digits after the point, a constant, 0 where it is left out; a half goes away from zero. "
            "NULL of NULL. A DOUBLE is rounded with `floor(a * 100 + 0.5) / 100`."
        ),
        nodes=(exp.Round,),
        rule=_rounded,
        examples=(
            ("round(2.5)", Decimal(3)),
            ("round(-2.5)", Decimal(-3)),
            ("round(2.345, 2)", Decimal("2.35")),
            ("round(1.5, 9)", Decimal("1.5")),
            ("round(7, 2)", 7),
            ("round(null)", None),
        ),
    ),
)
