"""What is counted and compared of a view's table when it is watched, as conditions on its rows.

A view *knows something* of an entity while one of its features is not at its empty value: of such entities there is a
key online, and they are those that are watched. A feature *should have a value* where something happened in its
window: what other features of the view say of that is believed, so that NULL for an empty window is no fault.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, Literal

from sqlglot import exp

from fsync.language.transformations.count import COUNT
from fsync.plan import Planned, View
from fsync.spec.feature import Call
from fsync.sql.empty import empty_literal, empty_values
from fsync.sql.instants import epoch_ms

_DOUBLE: Final = exp.DataType.build("double")
_VARCHAR: Final = exp.DataType.build("varchar")

#: how values are compared: as numbers, as one of several texts, or by their age
Kind = Literal["number", "category", "age"]


def kind_of(planned: Planned) -> Kind:
    """How the values of a feature are compared."""
    if planned.type.is_number:
        return "number"
    return "age" if planned.type.name in ("date", "timestamp") else "category"


def is_comparable(planned: Planned) -> bool:
    """Whether a feature has a baseline to compare with: labels are of many instants, at which ages are not the same."""
    return planned.monitors.drift_baseline.service is None or kind_of(planned) != "age"


def compared_among(view: View, planned: Planned) -> exp.Expr | None:
    """Which values of a feature are compared, as a condition on it; None for all.

    A training set has labels of entities that nothing was known of: only what is not empty can be compared with it.
    """
    return None if planned.monitors.drift_baseline.service is None else _is_not_empty(view, planned)


def knows_something(view: View) -> exp.Expr:
    """That a row has a feature which is not at its empty value."""
    # what is derived is at its empty value while all that it is made of is
    made = [planned for planned in view.features if planned.call is not None]
    return _any_is_not_empty(view, made)


def should_have_value(view: View, planned: Planned) -> exp.Expr | None:
    """That something happened in a feature's window, as far as the view's features tell: a condition on rows.

    None where nothing is to be watched: for a feature that is never NULL, and where no other feature tells.
    """
    told = told_by_others(view, planned)
    if told is None or isinstance(told, exp.Boolean):
        return told
    has_one = exp.Not(this=exp.Is(this=exp.column(planned.name), expression=exp.null()))
    return exp.or_(told, has_one, copy=False)


def told_by_others(view: View, planned: Planned) -> exp.Expr | None:
    """The same without the feature's own value, so that features have it in common."""
    if planned.is_never_null:
        return None
    if planned.call is None:
        # it is made of values: where they all are there, it should be too
        parts = [_is_not_empty(view, one) for one in view.made_of(planned)]
        return exp.and_(*parts, copy=False) if parts else None
    if planned.call.window is None and not planned.condition:
        return exp.true()  # an entity has a row since something happened
    tell = [one for one in view.features if one is not planned and _tells(one, planned)]
    return _any_is_not_empty(view, tell) if tell else None


def _tells(one: Planned, other: Planned) -> bool:
    """Whether a value of one feature means that something happened in the window of another."""
    if one.call is None or one.default is not None or other.call is None:
        return False
    return _is_within(one.call, other.call) and other.condition in ("", one.condition)


def _any_is_not_empty(view: View, features: Sequence[Planned]) -> exp.Expr:
    """That one of several features is not at its empty value.

    A count of events tells of every feature with a window that is not longer, so that these need not be asked.
    """
    counts = [one for one in features if _counts_what_others_read(one, features)]
    longest = max(counts, key=lambda one: _length(one.call), default=None)
    asked = (
        features
        if longest is None
        else [one for one in features if one is longest or _length(one.call) > _length(longest.call)]
    )
    return exp.or_(*(_is_not_empty(view, one) for one in asked), copy=False)


def counts_events(planned: Planned) -> bool:
    """Whether it counts events themselves: it is 0 where none happened, and only there."""
    return planned.call is not None and planned.call.transformation is COUNT and planned.call.column is None


def _counts_what_others_read(one: Planned, others: Sequence[Planned]) -> bool:
    """Whether a feature counts events, and all that the others read are among them."""
    return counts_events(one) and (not one.condition or all(other.condition == one.condition for other in others))


def _length(call: Call | None) -> float:
    return math.inf if call is None or call.window is None else call.window.milliseconds


def _is_within(one: Call, other: Call) -> bool:
    return _length(one) <= _length(other)


def _is_not_empty(view: View, planned: Planned) -> exp.Expr:
    column = exp.column(planned.name)
    empty = next(value for one, value in zip(view.features, empty_values(view), strict=True) if one is planned)
    if empty is None:
        return exp.Not(this=exp.Is(this=column, expression=exp.null()))
    is_zero = planned.type.is_number and not empty
    literal = exp.Literal.number(0) if is_zero else empty_literal(empty, planned.type)
    # what is never NULL can be compared in the plain way
    differs = exp.NEQ if planned.is_never_null else exp.NullSafeNEQ
    return differs(this=column, expression=literal)


def compared_features(view: View) -> list[Planned]:
    """The features of a view that are watched for drift, and have something to be compared with."""
    return [one for one in view.features if one.monitors.drift is not None and is_comparable(one)]


def compared_value(view: View, planned: Planned, at: exp.Expr) -> exp.Expr:
    """A feature's value as it is compared: DOUBLE for numbers and ages (in seconds, at an instant), else VARCHAR.

    NULL where it is not among those that are compared.
    """
    among, value = compared_among(view, planned), _converted(planned, at)
    return value if among is None else exp.Case(ifs=[exp.If(this=among, true=value)])


def _converted(planned: Planned, at: exp.Expr) -> exp.Expr:
    column = exp.column(planned.name)
    kind = kind_of(planned)
    if kind == "number":
        return exp.Cast(this=column, to=_DOUBLE.copy())
    if kind == "category":
        return exp.Cast(this=column, to=_VARCHAR.copy())
    milliseconds = epoch_ms(exp.cast(at, "timestamp")) - epoch_ms(exp.cast(column, "timestamp"))
    return exp.paren(milliseconds) / exp.Literal.number("1000.0")
