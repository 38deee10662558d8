"""Instants between Python, which counts milliseconds, and SQL, which has timestamps."""

from __future__ import annotations

from sqlglot import exp

from fsync.instant import to_datetime


def timestamp(milliseconds: int) -> exp.Expr:
    """An instant as a constant TIMESTAMP."""
    return exp.cast(exp.Literal.string(to_datetime(milliseconds).isoformat(sep=" ")), "timestamp")


def holds(instant: exp.Expr) -> exp.Expr:
    """That a row of a validity table holds at an instant."""
    return exp.and_(
        exp.LT(this=exp.column("valid_from"), expression=instant),
        exp.GTE(this=exp.column("valid_to"), expression=instant.copy()),
        copy=False,
    )


def epoch_ms(instant: exp.Expr) -> exp.Expr:
    """A TIMESTAMP as epoch milliseconds, as DuckDB spells it."""
    return exp.Anonymous(this="epoch_ms", expressions=[instant])
