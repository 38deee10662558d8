"""Which columns the columns of a query are made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope


@dataclass(frozen=True)
class Read:
    """That a value is made of a column of a table, and whether it shows that column's value.

    A value shows what it is computed from, but for what is only counted, tested for NULL, filtered, grouped or ordered
    by.
    """

    table: str
    column: str
    exposes: bool


Reads = frozenset[Read]

#: stands for every column of a table
ALL: Final = "*"
#: what is under these is not shown
_HIDING: Final = (exp.Count, exp.CountIf, exp.ApproxDistinct, exp.Is, exp.Exists, exp.RowNumber)
#: parts of an expression that choose or order rows
_CHOOSING: Final = frozenset({"partition_by", "order", "spec"})


def columns_read(sql: str, tables: Mapping[str, Iterable[str]], dialect: str) -> Mapping[str, Reads] | None:
    """The columns that a query gives, in lower case, and what each is made of; None for what cannot be read so.

    Args:
        tables: the relations that the query may read, with the names of their columns as far as they are known.
    """
    schema: dict[str, object] = {name: dict.fromkeys(columns, "unknown") for name, columns in tables.items() if columns}
    try:
        tree = parse_one(sql, dialect=dialect)
        if not isinstance(tree, exp.Query):
            return None
        tree = qualify(tree, schema=schema, dialect=dialect, validate_qualify_columns=False, quote_identifiers=False)
        scope = build_scope(tree)
        return None if scope is None else _Outputs().of(scope)
    except (SqlglotError, RecursionError, KeyError, IndexError, AttributeError, TypeError, ValueError):
        return None  # beyond this parser: whoever asks goes by the worst case


def parts_shown(node: exp.Expr, *, exposes: bool = True) -> Iterator[tuple[exp.Expr, bool]]:
    """The columns and queries in an expression, each with whether its value can be seen in that of the expression."""
    if isinstance(node, exp.Column | exp.Query | exp.Subquery):
        yield node, exposes
        return
    exposes = exposes and not isinstance(node, _HIDING)
    for key, value in node.args.items():
        shown = exposes and key not in _CHOOSING and not (isinstance(node, exp.Filter) and key == "expression")
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, exp.Expr):
                yield from parts_shown(child, exposes=shown)


class _Outputs:
    """What the columns of scopes are made of, each scope looked at once."""

    def __init__(self) -> None:
        self._known: dict[int, Mapping[str, Reads]] = {}

    def of(self, scope: Scope) -> Mapping[str, Reads]:
        if id(scope) not in self._known:
            self._known[id(scope)] = {}  # a recursive CTE reads itself
            self._known[id(scope)] = self._outputs(scope)
        return self._known[id(scope)]

    def _outputs(self, scope: Scope) -> Mapping[str, Reads]:
        if isinstance(scope.expression, exp.SetOperation):
            left, right = (self.of(side) for side in scope.set_operation_scopes)
            others = [*right.values(), *[frozenset[Read]()] * len(left)]
            return {name: reads | other for (name, reads), other in zip(left.items(), others, strict=False)}
        if not isinstance(scope.expression, exp.Select):  # UNNEST, VALUES and their like
            columns = scope.expression.find_all(exp.Column)
            around = scope.parent or scope
            return {ALL: frozenset(read for column in columns for read in self._column(column, around, exposes=True))}
        outputs: dict[str, Reads] = {}
        for projection in scope.expression.selects:
            if projection.is_star:
                outputs |= self._star(scope)
            else:
                outputs[projection.alias_or_name.lower()] = frozenset(self._walk(projection, scope, exposes=True))
        return outputs

    def _star(self, scope: Scope) -> Mapping[str, Reads]:
        """What `*` gives where not all columns are known: those that are, and ALL for the rest."""
        outputs: dict[str, Reads] = {}
        for _, source in scope.selected_sources.values():
            if isinstance(source, Scope):
                outputs |= self.of(source)
            else:
                outputs[ALL] = outputs.get(ALL, frozenset()) | {Read(source.name.lower(), ALL, exposes=True)}
        return outputs

    def _walk(self, node: exp.Expr, scope: Scope, *, exposes: bool) -> Iterator[Read]:
        for part, shown in parts_shown(node, exposes=exposes):
            if isinstance(part, exp.Column):
                yield from self._column(part, scope, exposes=shown)
                continue
            query = part.unnest() if isinstance(part, exp.Subquery) else part
            inner = next((below for below in scope.subquery_scopes if below.expression is query), None)
            for reads in (self.of(inner) if inner is not None else {}).values():
                yield from (replace(read, exposes=read.exposes and shown) for read in reads)

    def _column(self, column: exp.Column, scope: Scope, *, exposes: bool) -> Iterator[Read]:
        given = [scope.sources[column.table]] if column.table in scope.sources else _selected(scope)
        name = column.name.lower()
        for source in given:
            if isinstance(source, exp.Table):
                yield Read(source.name.lower(), name, exposes)
            elif isinstance(source, Scope):
                outputs = self.of(source)
                for read in outputs.get(name) or outputs.get(ALL) or ():
                    of_all = read.column == ALL
                    yield Read(read.table, name if of_all else read.column, read.exposes and exposes)


def _selected(scope: Scope) -> list[exp.Table | Scope]:
    """What a query selects from, itself and around it: a column without a table may be of any of them."""
    own = [source for _, source in scope.selected_sources.values()]
    return own + (_selected(scope.parent) if scope.parent is not None and scope.is_subquery else [])
