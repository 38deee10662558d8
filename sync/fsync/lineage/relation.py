"""What is known of the columns of a relation: their names in order, and what each is made of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final


@dataclass(frozen=True)
class Read:
    """That a value is made of a column of a table, and whether it shows that column's value.

    A value shows what it is computed from, but for what is only counted, tested for NULL, filtered, grouped or ordered
    by. The column ALL is all that the table has.
    """

    table: str
    column: str
    exposes: bool


Reads = frozenset[Read]

#: stands for every column of a table
ALL: Final = "*"
NOTHING: Final[Reads] = frozenset()
#: how engines call the second column of one name: id_1, id:1
_REPEATED: Final = re.compile(r"^(.+?)[_:]\d+$")


def hidden(reads: Reads) -> Reads:
    """The same, and nothing of it can be seen."""
    return frozenset(replace(read, exposes=False) for read in reads)


@dataclass(frozen=True)
class Relation:
    """Columns by name, in lower case and in order; a name may stand there twice, and is '' where it is not known.

    It may have more than these: by their own names the further columns of `tables`; and, if `others` is not None,
    columns of any name, each made of all of that.
    """

    columns: tuple[tuple[str, Reads], ...] = ()
    tables: frozenset[str] = frozenset()
    others: Reads | None = None

    @property
    def is_closed(self) -> bool:
        """Whether these are all its columns, in their order."""
        return not self.tables and self.others is None

    @cached_property
    def by_name(self) -> Mapping[str, Reads]:
        """Of two columns of one name, which one is meant depends on the engine: they are one here."""
        found: dict[str, Reads] = {}
        for name, reads in self.columns:
            found[name] = found.get(name, NOTHING) | reads
        return found

    @cached_property
    def everything(self) -> Reads:
        """What any of its columns may be made of."""
        known = (read for _, reads in self.columns for read in reads)
        return frozenset((*known, *(Read(table, ALL, True) for table in self.tables), *(self.others or ())))

    def has(self, name: str) -> bool:
        """Whether it is known to have a column."""
        return name != "" and name in self.by_name

    def column(self, name: str) -> Reads | None:
        """What a column is made of, or may be; None where there is no such column."""
        if self.has(name):
            return self.by_name[name]
        repeated = _REPEATED.match(name)
        base = repeated[1] if repeated else None
        if self.is_closed:
            twice = sum(known == base for known, _ in self.columns) > 1
            return self.by_name[base] if base is not None and twice else None
        found = {Read(table, name, True) for table in self.tables}
        if base is not None and (self.columns or len(self.tables) > 1):
            found |= {Read(table, base, True) for table in self.tables} | self.by_name.get(base, NOTHING)
        return frozenset(found | (self.others or NOTHING))

    def renamed(self, names: Iterable[str]) -> Relation:
        """With other names for its first columns, as `t(a, b)` gives them."""
        names = list(names)
        if not names:
            return self
        if not self.is_closed:  # which are the first is not known
            return Relation(tuple((name, self.everything) for name in names), self.tables, self.everything)
        columns = [(new, reads) for new, (_, reads) in zip(names, self.columns, strict=False)]
        more = [(name, self.everything) for name in names[len(columns) :]]
        return Relation((*columns, *more, *self.columns[len(columns) :]))


def table(name: str, columns: Iterable[str], *, is_complete: bool = False) -> Relation:
    """A table as it stands in the warehouse. Unless the columns are complete it may have others, in any order."""
    known = tuple((column, frozenset({Read(name, column, True)})) for column in columns)
    return Relation(known, frozenset() if is_complete else frozenset({name}))


def made_of(reads: Reads) -> Relation:
    """A relation of which no column's name is known."""
    return Relation(others=reads)


def either(relations: Iterable[Relation]) -> Relation:
    """What may be one relation or another: each column by its name, made of what it is in any of them."""
    first, *others = relations
    for other in others:
        if first == other:
            continue
        names = dict.fromkeys([*first.by_name, *other.by_name])
        columns = tuple((name, (first.column(name) or NOTHING) | (other.column(name) or NOTHING)) for name in names)
        others_of_both = first.everything | other.everything
        first = Relation(columns, first.tables | other.tables, others_of_both)
    return first


def stacked(above: Relation, below: Relation) -> Relation:
    """The rows of one and those of another, as UNION puts them: the names of the first, column by column.

    Columns of which the order is not known are matched by name where both have the same ones: if they were in another
    order, the model would be mixing up its values. Else any may have become any.
    """
    if above.is_closed and below.is_closed:
        return Relation(tuple(_zipped(above, below)))
    if above.others is None and below.others is None and above.by_name.keys() == below.by_name.keys():
        columns = tuple((name, reads | below.by_name[name]) for name, reads in above.columns)
        return Relation(columns, above.tables | below.tables)
    columns = tuple((name, reads | below.everything) for name, reads in above.columns)
    return Relation(columns, above.tables, (above.others or NOTHING) | below.everything)


def _zipped(above: Relation, below: Relation) -> Iterator[tuple[str, Reads]]:
    for at, (name, reads) in enumerate(above.columns):
        yield name, reads | (below.columns[at][1] if at < len(below.columns) else below.everything)
