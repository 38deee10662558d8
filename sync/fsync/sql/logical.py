"""The nodes of a logical tree that engines spell differently: calls of functions named FSYNC_….

Everything else in a logical tree is a stock sqlglot node with one meaning on every engine. An engine's
lowering replaces each of these before printing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Final

from sqlglot import exp

from fsync.instant import to_datetime, to_milliseconds
from fsync.language.portable import time_constant, typed
from fsync.language.portable.times import unit_of
from fsync.language.transformations import base
from fsync.language.types import DATE, NULL, SqlType, decimal, quantised

#: a timestamp in UTC, or a date → the timestamp, cut (not rounded) to milliseconds
TO_MILLISECONDS: Final = "FSYNC_TO_MILLISECONDS"
#: two numbers → their quotient in DOUBLE, NULL where the divisor is 0
DIVIDE: Final = "FSYNC_DIVIDE"
#: a timestamp in milliseconds → BIGINT, their number since 1970
TO_EPOCH: Final = "FSYNC_TO_EPOCH"
#: a number of milliseconds since 1970 → the timestamp
FROM_EPOCH: Final = "FSYNC_FROM_EPOCH"

#: a timestamp, a number of milliseconds → the first multiple of that number since the epoch that is later
NEXT_MULTIPLE: Final = "FSYNC_NEXT_MULTIPLE"
#: two exact numbers → the remainder with the sign of the first, NULL where the second is 0
REMAINDER: Final = "FSYNC_REMAINDER"
#: a number → 1, 0 or -1 as BIGINT
SIGN: Final = "FSYNC_SIGN"
#: a number → its square root in DOUBLE, NULL below 0
SQRT: Final = "FSYNC_SQRT"
#: a number → its natural logarithm in DOUBLE, NULL from 0 down
LN: Final = "FSYNC_LN"
#: the name of a part, a date or timestamp → the part as BIGINT: whole seconds, ISO days of the week
PART: Final = "FSYNC_PART"
#: the name of a unit, two dates or timestamps → how many starts of the unit lie between them, as BIGINT
BOUNDARIES: Final = "FSYNC_BOUNDARIES"

PLACEHOLDERS: Final = frozenset(
    {
        *(TO_MILLISECONDS, DIVIDE, TO_EPOCH, FROM_EPOCH, NEXT_MULTIPLE),
        *(REMAINDER, SIGN, SQRT, LN, PART, BOUNDARIES),
        *(base.FIRST, base.LAST, base.PERCENTILE),
    }
)


@cache
def _data_type(text: str) -> exp.DataType:
    return exp.DataType.build(text)


def cast(value: exp.Expr, kind: SqlType | str) -> exp.Expr:
    """`CAST(value AS kind)`, around the very value that is given."""
    return exp.Cast(this=value, to=_data_type(str(kind)).copy())


def call(name: str, *arguments: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=list(arguments))


def cut(instant: exp.Expr) -> exp.Expr:
    return call(TO_MILLISECONDS, instant)


def to_epoch(instant: exp.Expr) -> exp.Expr:
    return call(TO_EPOCH, instant)


def from_epoch(milliseconds: exp.Expr) -> exp.Expr:
    return call(FROM_EPOCH, milliseconds)


def next_multiple(instant: exp.Expr, milliseconds: int) -> exp.Expr:
    return call(NEXT_MULTIPLE, instant, exp.Literal.number(milliseconds))


def quantise(number: exp.Expr, scale: int) -> exp.Expr:
    """A DOUBLE, cut to `scale` digits after the point, as an exact number of the type `quantised(scale)`."""
    shifted = exp.Mul(this=exp.Paren(this=number), expression=exp.Literal.number(f"1e{scale}"))
    rounded = exp.Floor(this=exp.Add(this=shifted, expression=exp.Literal.number("0.5")))
    whole = cast(cast(rounded, "bigint"), quantised(0))
    unit = cast(exp.Literal.number(format(Decimal(1).scaleb(-scale), "f")), decimal(scale + 1, scale))
    return cast(exp.Mul(this=whole, expression=unit), quantised(scale))


def logical(node: exp.Expr, *, copy: bool = True) -> exp.Expr:
    """A parsed scalar expression as a logical tree, in which everything has its one meaning.

    Division gives DOUBLE and NULL for a zero divisor; integers are computed in 64 bits, constants too; a
    constant time is written in UTC and milliseconds. The result has the type that `infer` found, which is
    noted on the nodes; constants apart, whose integers an engine may hold in fewer bits. `copy` as in `rewrite`.
    """
    return rewrite(node, _logical, copy=copy)


def _logical(part: exp.Expr) -> exp.Expr:
    types = typed(part)
    if types is not None and types.gives == NULL:
        return exp.Null()
    if types is not None and NULL in types.takes and isinstance(part, _STRICT):
        return cast(exp.Null(), types.gives)  # which also tells engines the type of it
    build = _BUILT.get(type(part))
    return part if build is None else build(part)


def _division(part: exp.Expr) -> exp.Expr:
    return call(DIVIDE, part.this, part.expression)


def _remainder(part: exp.Expr) -> exp.Expr:
    return call(REMAINDER, part.this, part.expression)


def _sign(part: exp.Expr) -> exp.Expr:
    return call(SIGN, part.this)


def _root(part: exp.Expr) -> exp.Expr:
    return call(SQRT, part.this)


def _logarithm(part: exp.Expr) -> exp.Expr:
    return call(LN, part.this)


def _rounding(part: exp.Expr) -> exp.Expr:
    """Of an integer, nothing: engines round it through DOUBLE, which has 53 bits."""
    types = typed(part)
    if types is None or not types.gives.is_integer:
        return part
    number: exp.Expr = part.this
    return exp.Paren(this=number) if isinstance(number, exp.Binary | exp.Anonymous) else number


def _trimming(part: exp.Expr) -> exp.Expr:
    """With its space written out: engines have a wider idea of what a space is."""
    part.set("expression", exp.Literal.string(" "))
    return part


def _truncation(part: exp.Expr) -> exp.Expr:
    types = typed(part)
    instant = exp.cast(part.this, "timestamp") if types is not None and DATE in types.takes else part.this
    return exp.TimestampTrunc(this=instant, unit=exp.Var(this=unit_of(part).upper()))


def _extraction(part: exp.Expr) -> exp.Expr:
    return call(PART, exp.Literal.string(unit_of(part)), part.expression)


def _difference(part: exp.Expr) -> exp.Expr:
    return call(BOUNDARIES, exp.Literal.string(unit_of(part)), part.expression, part.this)


def _cast(part: exp.Expr) -> exp.Expr:
    constant = time_constant(part)
    if constant is None:
        return part
    text, kind = constant
    if kind == DATE:
        return cast(exp.Literal.string(date.fromisoformat(text).isoformat()), kind)
    instant = to_datetime(to_milliseconds(text))
    return cast(exp.Literal.string(instant.isoformat(sep=" ", timespec="milliseconds")), kind)


def _literal(part: exp.Expr) -> exp.Expr:
    types = typed(part)
    if part.is_string or not part.name.isdigit():
        return part
    if types is not None and types.gives.name == "decimal":  # an integer too large for 64 bits
        return cast(part.copy(), types.gives)
    return cast(part.copy(), "bigint") if _is_narrow(part) else part


_Build = Callable[[exp.Expr], exp.Expr]

_BUILT: Final[Mapping[type[exp.Expr], _Build]] = {
    exp.Div: _division,
    exp.Mod: _remainder,
    exp.Sign: _sign,
    exp.Sqrt: _root,
    exp.Ln: _logarithm,
    exp.Floor: _rounding,
    exp.Ceil: _rounding,
    exp.Round: _rounding,
    exp.Trim: _trimming,
    exp.TimestampTrunc: _truncation,
    exp.DateTrunc: _truncation,
    exp.Extract: _extraction,
    exp.DateDiff: _difference,
    exp.Cast: _cast,
    exp.Literal: _literal,
}

#: what is NULL whenever one of its operands is, so that a constant NULL among them makes it one
_STRICT: Final = (
    *(exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Neg, exp.Abs, exp.Sign, exp.Floor, exp.Ceil, exp.Round),
    *(exp.Sqrt, exp.Ln, exp.Exp, exp.Pow, exp.DPipe, exp.Lower, exp.Upper, exp.Trim, exp.Length, exp.Substring),
    *(exp.Replace, exp.StartsWith, exp.EndsWith, exp.Contains, exp.Like),
    *(exp.TimestampTrunc, exp.DateTrunc, exp.Extract, exp.DateDiff),
)


def _is_narrow(literal: exp.Expr) -> bool:
    """Whether an engine could compute with this integer in fewer bits than BIGINT has.

    It could where it meets no column in its arithmetic, and where the digits of a DECIMAL hang on it.
    """
    node, parent = literal, literal.parent
    while isinstance(parent, _PASSED) and not (isinstance(parent, exp.Round) and parent.this is not node):
        if _is_decimal(parent) and isinstance(parent, _CHOOSING):
            return True
        node, parent = parent, parent.parent
    if not isinstance(parent, exp.Add | exp.Sub | exp.Mul):
        return False
    other = parent.expression if parent.this is node else parent.this
    return _is_decimal(parent) or not isinstance(other.unnest(), exp.Column)


def _is_decimal(node: exp.Expr) -> bool:
    types = typed(node)
    return types is not None and types.gives.name == "decimal"


_CHOOSING: Final = (exp.Case, exp.Coalesce, exp.Greatest, exp.Least, exp.Mod)
#: what gives an integer of as many bits as it was given
_PASSED: Final = (*_CHOOSING, exp.Paren, exp.Neg, exp.Abs, exp.If, exp.Nullif, exp.Floor, exp.Ceil, exp.Round)


def rewrite(tree: exp.Expr, replace: Callable[[exp.Expr], exp.Expr], *, copy: bool = True) -> exp.Expr:
    """A copy of `tree` in which every node went through `replace`, innermost first.

    Without `copy`, `tree` itself, for a caller that has just made it and needs it no more.
    """
    return _rewritten(tree.copy() if copy else tree, replace)


def _rewritten(node: exp.Expr, replace: Callable[[exp.Expr], exp.Expr]) -> exp.Expr:
    """By hand, since this is where a compilation spends its time: `transform` begins at the outermost node."""
    for key, value in list(node.args.items()):
        if isinstance(value, exp.Expr):
            new = _rewritten(value, replace)
            if new is not value:
                node.set(key, new)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                if isinstance(item, exp.Expr):
                    new = _rewritten(item, replace)
                    if new is not item:
                        node.set(key, new, index)
    return replace(node)
