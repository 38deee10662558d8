"""Which columns the columns of a query are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from fsync.lineage.relation import NOTHING, Reads, Relation, either, hidden, made_of, stacked, table
from fsync.lineage.scope import Frame, Frames, column_reads, star
from fsync.lineage.shown import parts_shown
from fsync.spec.template import LONGEST, UNKNOWN, UNKNOWN_NUMBER

#: from the name of a table, in lower case and with its schema, to its columns; None for one that is not known
Find = Callable[[str], Relation | None]

#: brackets in brackets: where a parser is compiled, nothing else stops it from running out of stack
_DEEPEST: Final = 60
#: how often a CTE that reads itself is read: a value moves by a column each time
_ROUNDS: Final = 100
#: columns of a relation: each `x.*, y.*` of one doubles them
_WIDEST: Final = 5_000
#: parts of a SELECT that change its columns in ways that are not read here
_UNREAD: Final = ("kind", "into", "operation_modifiers", "exclude", "match", "laterals", "connect", "pivots", "for_")
#: functions in a FROM that read no table
_FUNCTIONS: Final = frozenset({"range", "generate_series", "unnest", "read_csv_auto", "read_json_auto", "read_json"})
_FUNCTION_NODES: Final = (exp.GenerateSeries, exp.ReadCSV, exp.ReadParquet, exp.Explode)
#: expressions that may give more columns than one
_SPREADING: Final = (exp.Explode, exp.Inline, exp.Aliases)
#: operators that a star may stand before: `* like 'e%'`
_STAR_FILTERS: Final = (exp.Like, exp.ILike, exp.SimilarTo, exp.Glob)


class _Unreadable(Exception):
    """A query has something that is not understood here."""


def columns_read(sql: str, find: Find, dialect: str) -> Relation | None:
    """The columns that a query gives, in lower case, and what each is made of; None for what cannot be read so.

    What rows are chosen by (WHERE, JOIN, GROUP BY and their like) is no part of a value, and is not told. What an
    expression names only to count or choose by it is told as not shown.

    Args:
        find: what is known of the tables that it may read. A table that is not known has columns of any name.
    """
    try:
        return _Reader(find).query(_parsed(sql, dialect), {}, ())
    except (_Unreadable, SqlglotError, RecursionError, LookupError, AttributeError, TypeError, ValueError):
        return None  # beyond this reader: whoever asks goes by the worst case


def _parsed(sql: str, dialect: str) -> exp.Expr:
    if len(sql) > LONGEST or "{{" in sql or "{%" in sql or _depth(sql) > _DEEPEST:
        raise _Unreadable
    if "".join(sql.split()).count("][") > _DEEPEST:  # x[1][1][1]…, which takes long to parse
        raise _Unreadable
    tree = parse_one(sql, dialect=dialect)
    if type(tree).__name__ == "Block":  # a semicolon, and a comment after it
        statements = [part for part in tree.expressions if not isinstance(part, exp.Semicolon)]
        tree = statements[0] if len(statements) == 1 else tree
    if not isinstance(tree, exp.Query | exp.Values | exp.Pivot):
        raise _Unreadable
    if UNKNOWN in sql.lower() or UNKNOWN_NUMBER in sql:
        _check_unknown(tree)
    return tree


def _depth(sql: str) -> int:
    depth = deepest = 0
    for letter in sql:
        if letter in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif letter in ")]}":
            depth -= 1
    return deepest


def _check_unknown(tree: exp.Expr) -> None:
    """A name that dbt alone knows may be a column's, and nothing else."""
    for node in tree.find_all(exp.Identifier, exp.Var, exp.Anonymous, exp.Placeholder):
        column = node.parent if isinstance(node.parent, exp.Column) and node.arg_key == "this" else None
        if _is_unknown(node.name) and (column is None or isinstance(column.parent, exp.Star)):
            raise _Unreadable


def _is_unknown(name: str) -> bool:
    return UNKNOWN in name.lower() or UNKNOWN_NUMBER in name


#: the CTEs in reach
Named = Mapping[str, Relation]


@dataclass(frozen=True)
class _Reader:
    find: Find

    # ------------------------------------------------------------ queries

    def query(self, node: exp.Expr, named: Named, frames: Frames) -> Relation:
        """The columns of a query. `frames` are the SELECTs around it, which it may name columns of."""
        named = self._with(node, named, frames)
        if isinstance(node, exp.SetOperation):
            return self._set_operation(node, named, frames)
        if isinstance(node, exp.Select):
            return self._select(node, named, frames)
        if isinstance(node, exp.Values):
            return self._values(node, named, (Frame(), *frames))
        if isinstance(node, exp.Pivot):
            return self._pivoted(self._from(node.this, named, frames), [node], named)
        if isinstance(node, exp.Subquery):
            if node.args.get("pivots"):
                return self._pivoted(self._from(node.this, named, frames), node.args["pivots"], named)
            return self.query(node.this, named, frames)
        if isinstance(node, exp.Table):
            frame = Frame()
            self._join_all(node, frame, named, frames)
            return star((frame,), exp.Star())
        raise _Unreadable

    def _with(self, node: exp.Expr, named: Named, frames: Frames) -> Named:
        clause = node.args.get("with_")
        if clause is None:
            return named
        for cte in clause.expressions:
            name = cte.alias.lower()
            body, columns = cte.this, [column.name.lower() for column in cte.args["alias"].columns]
            if clause.args.get("recursive") and isinstance(body, exp.SetOperation) and _reads(body, name):
                relation = self._recursive(body, name, columns, named, frames)
            else:
                relation = self.query(body, named, frames).renamed(columns)
            named = {**named, name: relation}
        return named

    def _recursive(self, body: exp.Expr, name: str, columns: list[str], named: Named, frames: Frames) -> Relation:
        """What comes of reading a CTE that reads itself, again and again, until nothing is new."""
        anchor = body
        named = self._with(body, named, frames)
        while isinstance(anchor, exp.SetOperation):
            anchor = anchor.this
        known = self.query(anchor, named, frames).renamed(columns)
        for _ in range(_ROUNDS):
            found = self.query(body, {**named, name: known}, frames).renamed(columns)
            if found == known:
                return known
            known = found
        raise _Unreadable

    def _set_operation(self, node: exp.SetOperation, named: Named, frames: Frames) -> Relation:
        above, below = (self.query(side, named, frames) for side in (node.this, node.expression))
        if isinstance(node, exp.Except):  # what the second has is left out
            below = Relation(
                tuple((name, hidden(reads)) for name, reads in below.columns),
                others=None if below.is_closed else hidden(below.everything),
            )
        if node.args.get("by_name"):
            return either((above, below))
        return stacked(above, below)

    def _values(self, node: exp.Values, named: Named, frames: Frames) -> Relation:
        rows = [row.expressions if isinstance(row, exp.Tuple) else [row] for row in node.expressions]
        columns = [
            ("", NOTHING.union(*(self._value(cell, named, frames) for cell in cells)))
            for cells in zip(*rows, strict=True)
        ]
        return Relation(tuple((f"col{at}", reads) for at, (_, reads) in enumerate(columns)))

    def _pivoted(self, sources: Sequence[tuple[str, Relation]], pivots: Sequence[exp.Expr], named: Named) -> Relation:
        """Which columns come of a pivot hangs on values: each may be made of everything."""
        frame = Frame(list(sources))
        inside = (self._value(part, named, (frame,)) for pivot in pivots for part in _below(pivot))
        return made_of(frame.everything.union(*inside))

    # ------------------------------------------------------------ FROM

    def _join_all(self, node: exp.Expr, frame: Frame, named: Named, frames: Frames) -> None:
        """Put what a FROM holds into a frame. What comes later may name what came before (LATERAL)."""
        start = node.args.get("from_") if isinstance(node, exp.Select) else None
        if start is not None:
            frame.join(self._from(start.this, named, (frame, *frames)), ())
        elif isinstance(node, exp.Table):
            frame.join(self._one(node, named, (frame, *frames)), ())
        for join in node.args.get("joins") or ():
            new = self._from(join.this, named, (frame, *frames))
            using = [name.name.lower() for name in join.args.get("using") or ()]
            if join.kind in ("SEMI", "ANTI"):
                frame.unseen += new
                continue
            if join.method == "NATURAL":
                using += [name for _, relation in new for name in relation.by_name if _has(frame, name)]
            frame.join(new, using)
            if join.args.get("pivots"):
                raise _Unreadable

    def _from(self, node: exp.Expr, named: Named, frames: Frames) -> list[tuple[str, Relation]]:
        """One item of a FROM, which is several relations where a join stands in brackets."""
        if node.args.get("joins"):
            frame = Frame()
            self._join_all(node, frame, named, frames)
            if frame.merged or not isinstance(node, exp.Table):
                raise _Unreadable  # the columns of USING would have to be merged around the brackets too
            return frame.sources
        if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Table) and not node.args.get("pivots"):
            inside = self._from(node.this, named, frames)
            return inside if not node.alias else [(node.alias.lower(), self._aliased(node, _whole(inside)))]
        return self._one(node, named, frames)

    def _one(self, node: exp.Expr, named: Named, frames: Frames) -> list[tuple[str, Relation]]:
        relation = self._relation(node, named, frames)
        pivots = node.args.get("pivots") if isinstance(node, exp.Table) else None
        name = node.alias_or_name.lower()
        if pivots:
            name = next((pivot.alias.lower() for pivot in pivots if pivot.alias), name)
            return [(name, self._pivoted([(node.alias_or_name.lower(), relation)], pivots, named))]
        return [(name, self._aliased(node, relation))]

    def _aliased(self, node: exp.Expr, relation: Relation) -> Relation:
        alias = node.args.get("alias")
        return relation.renamed(column.name.lower() for column in (alias.columns if alias is not None else ()))

    def _relation(self, node: exp.Expr, named: Named, frames: Frames) -> Relation:
        if isinstance(node, exp.Table):
            return self._table(node, named, frames)
        if isinstance(node, exp.Lateral):
            return self._aliased(node.this, self._relation(node.this, named, frames))
        if isinstance(node, exp.Unnest):  # one column, or the fields of a struct
            return made_of(NOTHING.union(*(self._value(part, named, frames) for part in node.expressions)))
        if isinstance(node, exp.Values):
            return self._values(node, named, frames)
        if isinstance(node, exp.Query | exp.Subquery | exp.Pivot):
            return self.query(node, named, frames)
        return self._function(node, named, frames)

    def _table(self, node: exp.Table, named: Named, frames: Frames) -> Relation:
        if any(node.args.get(part) for part in ("laterals", "changes", "rows_from", "partition")):
            raise _Unreadable
        if not isinstance(node.this, exp.Identifier):
            return self._function(node.this, named, frames)
        name = ".".join(part.name.lower() for part in node.parts)
        if name in named and "." not in name:
            return named[name]
        found = self.find(name)
        return table(name, ()) if found is None else found

    def _function(self, node: exp.Expr, named: Named, frames: Frames) -> Relation:
        """What a function in a FROM gives: columns of any name, made of what it is given. Others may read any table."""
        is_known = isinstance(node, exp.Anonymous) and node.name.lower() in _FUNCTIONS
        if not is_known and not isinstance(node, _FUNCTION_NODES):
            raise _Unreadable
        return made_of(self._value(node, named, frames))

    # ------------------------------------------------------------ SELECT

    def _select(self, node: exp.Select, named: Named, frames: Frames) -> Relation:
        if not node.expressions or any(node.args.get(part) for part in _UNREAD):
            raise _Unreadable
        frame = Frame()
        self._join_all(node, frame, named, frames)
        pieces = []
        for projection in node.expressions:
            piece = self._projected(projection, named, (frame, *frames))
            pieces.append(piece)
            for name, reads in piece.columns:
                frame.aliases[name] = frame.aliases.get(name, NOTHING) | reads
        columns = tuple(column for piece in pieces for column in piece.columns)
        if len(columns) > _WIDEST:
            raise _Unreadable
        others = [piece.others for piece in pieces if piece.others is not None]
        tables = frozenset(name for piece in pieces for name in piece.tables)
        return Relation(columns, tables, NOTHING.union(*others) if others else None)

    def _projected(self, node: exp.Expr, named: Named, frames: Frames) -> Relation:
        """The columns that one item of a SELECT gives."""
        if isinstance(node, _STAR_FILTERS) and isinstance(node.this, exp.Star):
            return _unordered(star(frames, node.this))
        if isinstance(node, exp.Columns) and not node.args.get("unpack") and not isinstance(node.this, exp.Column):
            inner = node.this if isinstance(node.this, exp.Star) else exp.Star()
            return _unordered(self._star(inner, named, frames))
        if node.is_star and isinstance(node, exp.Star | exp.Column):
            return self._star(node, named, frames)
        value = self._value(node, named, frames)
        below = node.this if isinstance(node, exp.Alias) else node
        if node.find(exp.Columns, exp.Star) and any(_is_many(part) for part, _ in parts_shown(node)):
            return made_of(value)
        if isinstance(below, _SPREADING) or isinstance(node, _SPREADING):
            return Relation(((node.alias_or_name.lower(), value),), others=value)
        name = node.alias_or_name.lower()
        return made_of(value) if _is_unknown(name) else Relation(((name, value),))

    def _star(self, node: exp.Expr, named: Named, frames: Frames) -> Relation:
        whole = star(frames, node)
        inner = node.this if isinstance(node, exp.Column) else node
        replaced = {part.alias.lower(): self._value(part, named, frames) for part in inner.args.get("replace") or ()}
        if not replaced:
            return whole
        columns = [(name, replaced.get(name, reads)) for name, reads in whole.columns]
        more = [] if whole.is_closed else [(name, reads) for name, reads in replaced.items() if not whole.has(name)]
        return Relation((*columns, *more), whole.tables, whole.others)

    # ------------------------------------------------------------ expressions

    def _value(self, node: exp.Expr, named: Named, frames: Frames) -> Reads:
        """What the value of an expression is made of, in the SELECT that is the first of `frames`."""
        found: set[Reads] = set()
        for part, shown in parts_shown(node):
            reads = NOTHING.union(*self._part(part, named, frames))
            found.add(reads if shown else hidden(reads))
        return NOTHING.union(*found)

    def _part(self, node: exp.Expr, named: Named, frames: Frames) -> Iterator[Reads]:
        if isinstance(node, exp.Column) and not isinstance(node.this, exp.Star):
            if _is_unknown(node.name):
                yield from (frame.everything for frame in frames)
            else:
                yield column_reads(node, frames)
            if node.arg_key == "field" and isinstance(node.parent, exp.In):  # `x in t`: of a list, or of a table
                name = node.name.lower()
                relation = named.get(name) or self.find(name)
                yield relation.everything if relation is not None else NOTHING
        elif isinstance(node, exp.Query | exp.Subquery):
            yield self.query(node, named, frames).everything
        elif isinstance(node, exp.Column | exp.Star):
            yield self._star(node, named, frames).everything
        elif isinstance(node.this, exp.Column | exp.Star):  # COLUMNS(* exclude …)
            yield self._star(node.this, named, frames).everything
        else:
            yield frames[0].everything


def _reads(node: exp.Expr, name: str) -> bool:
    return any(found.name.lower() == name for found in node.find_all(exp.Table))


def _below(node: exp.Expr) -> Iterator[exp.Expr]:
    for key, value in node.args.items():
        children = value if isinstance(value, list) else [value]
        yield from (child for child in children if isinstance(child, exp.Expr) and key not in ("this", "alias"))


def _whole(sources: Sequence[tuple[str, Relation]]) -> Relation:
    return star((Frame(list(sources)),), exp.Star())


def _has(frame: Frame, name: str) -> bool:
    return any(relation.has(name) for _, relation in frame.sources)


def _is_many(node: exp.Expr) -> bool:
    return isinstance(node, exp.Star | exp.Columns) or (isinstance(node, exp.Column) and node.is_star)


def _unordered(relation: Relation) -> Relation:
    """The same columns, of which some may not be there: no position is sure, and no name is new."""
    return Relation(relation.columns, relation.tables, relation.everything)
