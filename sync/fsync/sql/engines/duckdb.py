"""DuckDB's spelling of the logical trees."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from sqlglot import exp

from fsync.language.portable import typed
from fsync.language.portable.base import digits
from fsync.language.transformations import base
from fsync.language.types import decimal
from fsync.sql import logical

NAME: Final = "duckdb"
_IN_64_BITS: Final = 18


def render(tree: exp.Expr, *, pretty: bool = True, copy: bool = True) -> str:
    """DuckDB SQL for a logical tree, without a final newline. Without `copy`, the tree is used up."""
    return logical.rewrite(tree, _lower, copy=copy).sql(dialect="duckdb", pretty=pretty, comments=True, copy=False)


def _lower(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.Anonymous) and node.name in _LOWERED:
        return _LOWERED[node.name](*node.expressions)
    return _product(node) if isinstance(node, exp.Mul) else node


def _product(node: exp.Mul) -> exp.Expr:
    """A product of decimals with all of its digits.

    DuckDB gives one of two decimals that fit 64 bits at most 18 digits, and an error where they are not enough.
    """
    types = typed(node)
    if types is None or types.gives.precision is None or len(types.takes) != 2:
        return node
    (left, left_scale), (right, right_scale) = (digits(kind) for kind in types.takes)
    if max(left, right) > _IN_64_BITS or left + right <= _IN_64_BITS or left_scale + right_scale >= _IN_64_BITS:
        return node
    wide = exp.cast(node.this, str(decimal(left + right, left_scale)))
    return exp.cast(exp.Mul(this=wide, expression=node.expression), str(types.gives))


def _to_milliseconds(instant: exp.Expr) -> exp.Expr:
    return exp.TimestampTrunc(this=instant, unit=exp.Var(this="MILLISECOND"))


def _divide(dividend: exp.Expr, divisor: exp.Expr) -> exp.Expr:
    # DuckDB's `/` is DOUBLE for every pair of numbers; by zero it is an error or infinity
    return exp.Div(this=_operand(dividend), expression=_operand(_never_zero(divisor)))


def _remainder(dividend: exp.Expr, divisor: exp.Expr) -> exp.Expr:
    return exp.Mod(this=_operand(dividend), expression=_operand(_never_zero(divisor)))


def _never_zero(divisor: exp.Expr) -> exp.Expr:
    bare = divisor.unnest()
    is_constant = isinstance(bare, exp.Literal) and float(bare.name) != 0
    if is_constant or (isinstance(bare, exp.Nullif) and _is_zero(bare.expression)):
        return divisor
    return exp.Nullif(this=divisor, expression=exp.Literal.number(0))


def _sign(number: exp.Expr) -> exp.Expr:
    return exp.cast(exp.Sign(this=number), "bigint")  # of a TINYINT


def _sqrt(number: exp.Expr) -> exp.Expr:
    return _where(exp.GTE(this=_operand(number), expression=exp.Literal.number(0)), exp.Sqrt(this=number.copy()))


def _ln(number: exp.Expr) -> exp.Expr:
    return _where(exp.GT(this=_operand(number), expression=exp.Literal.number(0)), exp.Ln(this=number.copy()))


def _where(condition: exp.Expr, value: exp.Expr) -> exp.Expr:
    return exp.Case(ifs=[exp.If(this=condition, true=value)])


def _part(name: exp.Expr, instant: exp.Expr) -> exp.Expr:
    return exp.Extract(this=exp.Var(this=name.name.upper()), expression=instant)


def _boundaries(unit: exp.Expr, start: exp.Expr, end: exp.Expr) -> exp.Expr:
    name = exp.Var(this=unit.name.upper())
    return exp.DateDiff(this=end, expression=start, unit=name, date_part_boundary=True)


def _is_zero(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and not node.is_string and float(node.name) == 0


def _operand(node: exp.Expr) -> exp.Expr:
    return exp.Paren(this=node) if isinstance(node, exp.Binary) else node


def _to_epoch(instant: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this="EPOCH_MS", expressions=[instant])


def _from_epoch(milliseconds: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this="MAKE_TIMESTAMP_MS", expressions=[milliseconds])


def _interval(milliseconds: int) -> exp.Expr:
    units = (("DAYS", 86_400_000), ("HOURS", 3_600_000), ("MINUTES", 60_000), ("SECONDS", 1_000))
    unit, size = next(((unit, size) for unit, size in units if milliseconds % size == 0), ("MILLISECONDS", 1))
    return exp.Interval(this=exp.Literal.string(str(milliseconds // size)), unit=exp.Var(this=unit))


def _next_multiple(instant: exp.Expr, milliseconds: exp.Expr) -> exp.Expr:
    width = _interval(int(milliseconds.name))
    epoch = exp.cast(exp.Literal.string("1970-01-01"), "timestamp")
    bucket = exp.Anonymous(this="TIME_BUCKET", expressions=[width, instant, epoch])
    return exp.Add(this=bucket, expression=width.copy())


def _first(value: exp.Expr, order: exp.Expr) -> exp.Expr:
    # both leave rows out in which one of the two is NULL
    return exp.ArgMin(this=value, expression=order)


def _last(value: exp.Expr, order: exp.Expr) -> exp.Expr:
    return exp.ArgMax(this=value, expression=order)


def _percentile(value: exp.Expr, fraction: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this="QUANTILE_CONT", expressions=[value, fraction])


_LOWERED: Final[Mapping[str, Callable[..., exp.Expr]]] = {
    logical.TO_MILLISECONDS: _to_milliseconds,
    logical.DIVIDE: _divide,
    logical.TO_EPOCH: _to_epoch,
    logical.FROM_EPOCH: _from_epoch,
    logical.NEXT_MULTIPLE: _next_multiple,
    base.FIRST: _first,
    base.LAST: _last,
    base.PERCENTILE: _percentile,
    logical.REMAINDER: _remainder,
    logical.SIGN: _sign,
    logical.SQRT: _sqrt,
    logical.LN: _ln,
    logical.PART: _part,
    logical.BOUNDARIES: _boundaries,
}
