"""What stands in a FROM, and the columns that names in a SELECT mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from fsync.lineage.relation import NOTHING, Reads, Relation


@dataclass
class Frame:
    """One SELECT: its relations by their aliases, in order, and what its columns so far are made of.

    `merged` has the columns of USING, each made of what it is on all sides: which side is taken depends on the engine.
    """

    sources: list[tuple[str, Relation]] = field(default_factory=list)
    #: relations that names may mean, and `*` does not: of semi joins
    unseen: list[tuple[str, Relation]] = field(default_factory=list)
    merged: dict[str, Reads] = field(default_factory=dict)
    aliases: dict[str, Reads] = field(default_factory=dict)

    @property
    def everything(self) -> Reads:
        return frozenset(read for _, relation in self.sources for read in relation.everything)

    def of(self, alias: str) -> list[Relation]:
        """The relations of that name."""
        return [relation for name, relation in (*self.sources, *self.unseen) if name == alias]

    def join(self, new: list[tuple[str, Relation]], using: Sequence[str]) -> None:
        """Put relations beside those that are there, which share the columns of `using` with them."""
        for name in using:
            known = self.merged.get(name, NOTHING)
            sides = [relation.column(name) or NOTHING for _, relation in (*self.sources, *new)]
            self.merged[name] = known.union(*sides)
        self.sources += new


#: the SELECT that a name stands in, then those around it
Frames = tuple[Frame, ...]


def column_reads(column: exp.Column, frames: Frames) -> Reads:
    """What a name means: a column, a field of one, a row of a relation, or an alias; all of these that it may be.

    What nothing is known to have is made of everything in reach: a guess would launder it.
    """
    *above, name = (part.name.lower() for part in column.parts)
    found = _qualified(above, name, frames) if above else _bare(name, frames)
    if found is None:
        return frozenset(read for frame in frames for read in frame.everything)
    return found


def _qualified(above: list[str], name: str, frames: Frames) -> Reads | None:
    """`t.column`, `schema.t.column`, `t.column.field`, `column.field`."""
    found: Reads | None = None
    path = [*above, name]
    for frame in frames:
        for at in range(len(path) - 1):
            for relation in frame.of(path[at]):
                reads = relation.column(path[at + 1])
                if reads is not None and relation.has(path[at + 1]) and at == len(path) - 2:
                    return reads
                found = found if reads is None else (found or NOTHING) | reads
        if found is not None:
            break
    # where it is not known that the relation has the column, a field may be meant
    as_field = _bare(path[0], frames, is_sure=found is not None)
    return found if as_field is None else (found or NOTHING) | as_field


def _bare(name: str, frames: Frames, *, is_sure: bool = False) -> Reads | None:
    """A name without a relation's; with `is_sure`, only a column that is known to be there.

    Where relations may have columns that are not known, it may be one of theirs as well as one of a SELECT around: it
    is all of them.
    """
    found: Reads | None = None
    for frame in frames:
        if name in frame.merged:
            return (found or NOTHING) | frame.merged[name]
        relations = [relation for _, relation in (*frame.sources, *frame.unseen)]
        sure = [relation.by_name[name] for relation in relations if relation.has(name)]
        if sure:
            return (found or NOTHING).union(*sure)
        maybe = [*_guesses(name, frame, relations)] if not is_sure else []
        if maybe:
            found = (found or NOTHING).union(*maybe)
            if all(relation.is_closed for relation in relations):
                return found
    return found


def _guesses(name: str, frame: Frame, relations: list[Relation]) -> Iterator[Reads]:
    if name in frame.aliases:  # an alias of the same SELECT
        yield frame.aliases[name]
    for relation in frame.of(name):  # a whole row
        yield relation.everything
    for relation in relations:
        reads = relation.column(name)
        if reads is not None:
            yield reads


def star(frames: Frames, node: exp.Expr) -> Relation:
    """What `*` or `t.*` gives, with its exclude and rename; what it replaces is put in place by whoever asks."""
    frame = frames[0]
    qualifier = node.args.get("table") if isinstance(node, exp.Column) else None
    inner = node.this if isinstance(node, exp.Column) else node
    if qualifier is None:
        whole = _all(frame)
    elif node.args.get("db") is None and frame.of(qualifier.name.lower()):
        whole = _beside(frame.of(qualifier.name.lower())[:1])
    else:  # the fields of a struct, or `schema.t.*`
        return Relation(others=column_reads(exp.column(qualifier.copy()), frames) | frame.everything)
    left_out = {part.name.lower() for part in inner.args.get("except_") or ()}
    renamed = {part.this.name.lower(): part.alias.lower() for part in inner.args.get("rename") or ()}
    columns = [(renamed.get(name, name), reads) for name, reads in whole.columns if name not in left_out]
    more = [
        (new, whole.column(old) or NOTHING)
        for old, new in renamed.items()
        if not whole.has(old) and not whole.is_closed
    ]
    return Relation((*columns, *more), whole.tables, whole.others)


def _all(frame: Frame) -> Relation:
    """The columns of all relations; those of USING once, where they come first."""
    merged = dict(frame.merged)
    columns: list[tuple[str, Reads]] = []
    for _, relation in frame.sources:
        for name, reads in relation.columns:
            if name not in frame.merged:
                columns.append((name, reads))
            elif name in merged:
                columns.append((name, merged.pop(name)))
    # sides of which the columns are not known
    columns += merged.items()
    whole = _beside([relation for _, relation in frame.sources])
    return Relation(tuple(columns), whole.tables, whole.others)


def _beside(relations: Sequence[Relation]) -> Relation:
    columns = tuple(column for relation in relations for column in relation.columns)
    tables = frozenset(table for relation in relations for table in relation.tables)
    others = [relation.others for relation in relations if relation.others is not None]
    return Relation(columns, tables, NOTHING.union(*others) if others else None)
