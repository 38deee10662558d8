"""What of an expression can be seen in its value: the rule, for one expression."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlglot import exp

#: what is under these is not shown
_COUNTING: Final = (exp.Count, exp.CountIf, exp.ApproxDistinct, exp.RegrCount, exp.Grouping, exp.GroupingId)
#: parts of an expression that choose or order rows
_CHOOSING: Final[tuple[tuple[type[exp.Expr], frozenset[str]], ...]] = (
    (exp.Window, frozenset({"partition_by", "order", "spec"})),
    (exp.Filter, frozenset({"expression"})),
    (exp.Order, frozenset({"expressions"})),
    (exp.ArgMax, frozenset({"expression"})),
    (exp.ArgMin, frozenset({"expression"})),
    (exp.HavingMax, frozenset({"expression"})),
    (exp.Distinct, frozenset({"on"})),
)
#: functions that sqlglot does not know, of which the first argument alone is shown
_BY_SECOND: Final = frozenset({"arg_max_null", "arg_min_null", "arg_max_nulls_last", "arg_min_nulls_last"})
#: functions that sqlglot does not know, of which nothing is shown
_NAMED_COUNTING: Final = frozenset({"count_star", "isnull"})
#: what `within group (order by …)` puts in an order; of any other it is the value
_ORDERED: Final = (exp.ArrayAgg, exp.GroupConcat)
#: what stands for columns or is a query: whoever asks looks these up
_LEAVES: Final = (exp.Column, exp.Query, exp.Subquery, exp.Star, exp.Columns, exp.PositionalColumn)


def parts_shown(node: exp.Expr) -> Iterator[tuple[exp.Expr, bool]]:
    """The columns, stars and queries in an expression, each with whether its value can be seen in the expression's.

    Without recursion: people chain thousands of `or`s.
    """
    waiting = [(node, True)]
    while waiting:
        part, shown = waiting.pop()
        if isinstance(part, _LEAVES):
            yield part, shown
            continue
        shown = shown and not _hides(part)
        waiting += [(child, shown and is_value) for child, is_value in _children(part)]


def _children(node: exp.Expr) -> Iterator[tuple[exp.Expr, bool]]:
    """What stands below, and whether it is a part of the value or chooses which rows make it."""
    if isinstance(node, exp.WithinGroup) and not isinstance(node.this, _ORDERED):
        yield from ((part, True) for part in (node.this, *node.expression.expressions))
        return
    choosing = _choosing(node)
    by_second = isinstance(node, exp.Anonymous) and node.name.lower() in _BY_SECOND
    for key, value in node.args.items():
        for at, child in enumerate(value if isinstance(value, list) else (value,)):
            if isinstance(child, exp.Expr) and not (isinstance(node, exp.Count) and type(child) is exp.Star):
                yield child, key not in choosing and not (by_second and at > 0)


def _hides(node: exp.Expr) -> bool:
    if isinstance(node, exp.Is):  # `x is true` says what x is
        return isinstance(node.expression, exp.Null)
    if isinstance(node, exp.Exists):
        return isinstance(node.this, exp.Query | exp.Subquery)
    if isinstance(node, exp.Anonymous):
        return node.name.lower() in _NAMED_COUNTING
    return isinstance(node, _COUNTING)


def _choosing(node: exp.Expr) -> frozenset[str]:
    return next((keys for kind, keys in _CHOOSING if isinstance(node, kind)), frozenset())
