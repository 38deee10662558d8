"""Columns of sources, followed through the SQL of models by hand to where they come from."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from fsync.lineage.query import columns_read
from fsync.lineage.reading import columns_of_feature
from fsync.lineage.relation import ALL, Read, Reads, Relation, either, table
from fsync.spec.feature import Feature
from fsync.spec.model import THIS, Model, placeholder, rendered
from fsync.spec.source import CLASSES, Source
from fsync.spec.source import Column as DeclaredColumn

#: (table, column): the table by the name a spec uses, or a view and its feature
Column = tuple[str, str]

#: what stands beside the features in every view
_VALIDITY: Final = ("valid_from", "valid_to")


@dataclass(frozen=True, eq=False)
class Upstream:
    """What stands before features: `models` by hand, and `sources` as dbt's YAML declares them.

    `views` has the features of each view by their names: models by hand may be made of these again.
    """

    sources: Mapping[str, Source]
    models: Mapping[str, Model]
    views: Mapping[str, Mapping[str, Feature]] = field(default_factory=dict)
    _known: dict[str, Relation | None] = field(default_factory=dict)
    _reads: dict[Column, Reads] = field(default_factory=dict)
    _ways: dict[tuple[Column, str], tuple[Column, ...] | None] = field(default_factory=dict)
    _places: dict[str, list[str]] = field(default_factory=dict)

    def reads(self, column: Column) -> Reads:
        """What a column is made of: nothing for one of a source of dbt's, or of a seed.

        Of a model that cannot be read, every column is taken to be made of all columns of all it reads; and so is one
        that the SQL of a model does not give, though somebody says that it has it.
        """
        if column not in self._reads:
            found = self._found(column)
            self._reads[column] = frozenset(part for read in found for part in self._each(read)) - {
                Read(*column, exposes=True)
            }
        return self._reads[column]

    def columns(self, table: str) -> tuple[str, ...]:
        """The columns that a table is known to have: what its YAML declares, and what its SQL gives."""
        if table in self.views:
            features = self.views[table]
            entity = next(iter(features.values())).entity
            return (*entity, *_VALIDITY, *features)
        declared = self.sources[table].columns if table in self.sources else {}
        relation = self._relation(table)
        given = relation.by_name if relation is not None else {}
        return tuple(name for name in dict.fromkeys([*declared, *given]) if name)

    def before(self, table: str) -> tuple[str, ...]:
        """The tables that a table is made of."""
        if table in self.views:
            return tuple(dict.fromkeys(feature.source for feature in self.views[table].values()))
        if table not in self.models:
            return ()
        model = self.models[table]
        if not model.reads_more and not (self.is_opaque(table) and _may_read_more(model)):
            return model.reads
        known = (*self.sources, *self.models, *self.views)
        return tuple(dict.fromkeys([*model.reads, *(name for name in known if name != table)]))

    def tables(self, table: str) -> frozenset[str]:
        """A table and all that stands before it."""
        found: set[str] = set()
        waiting = [table]
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += self.before(name)
        return frozenset(found)

    def is_opaque(self, table: str) -> bool:
        """Whether a table is a model by hand whose SQL cannot be read."""
        return table in self.models and self._relation(table) is None

    # ------------------------------------------------------------ classes

    def classes(self, column: Column) -> Mapping[str, tuple[Column, ...]]:
        """The classes of a column, each with the way to the column that is declared to be of it, which may be itself.

        What a column's own YAML says goes before what its parts are of. A feature is of what its spec says, and of what
        it shows unless its spec gives a reason.
        """
        ways = {name: self._way(column, name) for name in CLASSES}
        return {name: way for name, way in ways.items() if way is not None}

    def shown(self, column: Column) -> Mapping[str, tuple[Column, ...]]:
        """The classes that a column's parts are of, whatever is said of itself, each with the way from it."""
        found = {name: self._walked(column, name) for name in CLASSES}
        return {name: way for name, way in found.items() if way is not None}

    def declared(self, column: Column) -> frozenset[str]:
        """The classes that a column's YAML, or a feature's spec, says it is of."""
        feature = self._feature(column)
        if feature is not None:
            return frozenset(feature.classification)
        known = self._column(column)
        return frozenset() if known is None else known.classes

    def _column(self, column: Column) -> DeclaredColumn | None:
        source = self.sources.get(column[0])
        return source.columns.get(column[1]) if source is not None else None

    def _way(self, column: Column, name: str) -> tuple[Column, ...] | None:
        if (column, name) not in self._ways:
            said = self._said(column, name)
            walked = self._walked(column, name) if said is None else None
            self._ways[column, name] = (column,) if said else walked
        return self._ways[column, name]

    def _walked(self, column: Column, name: str) -> tuple[Column, ...] | None:
        """The shortest way over what is shown, from a column to one that is said to be of a class."""
        came_from: dict[Column, Column | None] = {column: None}
        waiting = deque([column])
        while waiting:
            here = waiting.popleft()
            said = None if here == column else self._said(here, name)
            if said:
                return _way_back(here, came_from)
            for part in sorted(_seen(self.reads(here))) if said is None else ():
                if part not in came_from:
                    came_from[part] = here
                    waiting.append(part)
        return None

    def _said(self, column: Column, name: str) -> bool | None:
        """Whether a column is of a class, where that is said; None for as its parts are."""
        feature = self._feature(column)
        if feature is None:
            known = self._column(column)
            if known is None:
                return None
            return True if name in known.classes else False if name in known.not_classes else None
        if name in feature.classification:
            return True
        return False if name in feature.declassified else None

    def _feature(self, column: Column) -> Feature | None:
        return self.views.get(column[0], {}).get(column[1])

    # ------------------------------------------------------------ what is read

    def _found(self, column: Column) -> Iterable[Read]:
        table, name = column
        if table in self.views:
            return self._of_view(table, name)
        if table not in self.models:
            return ()
        relation = self._relation(table)
        if relation is None:
            return [Read(other, ALL, exposes=True) for other in self.before(table)]
        if name == ALL:
            return relation.everything
        found = relation.column(name)
        return relation.everything if found is None else found

    def _of_view(self, view: str, name: str) -> Iterable[Read]:
        features = self.views[view]
        if name not in features:
            source = next(iter(features.values())).source
            return [Read(source, name, exposes=True)] if name not in (*_VALIDITY, ALL) else ()
        below = view if features[name].call is None else features[name].source
        return [Read(below, part, shown) for part, shown in columns_of_feature(features[name]).items()]

    def _each(self, read: Read) -> Iterable[Read]:
        """All columns in place of ALL; ALL itself stays for those that are not known."""
        if read.column != ALL:
            return (read,)
        known = [Read(read.table, name, read.exposes) for name in self.columns(read.table)]
        relation = self._relation(read.table)
        return known if relation is not None and relation.is_closed else [*known, read]

    def _relation(self, table: str) -> Relation | None:
        """What the SQL of a model gives; None for one that cannot be read, and for what is no model by hand."""
        if table not in self.models:
            return None
        if table not in self._known:
            self._known[table] = None  # models that read each other are dbt's to refuse
            self._known[table] = self._analysed(self.models[table])
        return self._known[table]

    def _analysed(self, model: Model) -> Relation | None:
        marks = {placeholder(number): name for number, name in enumerate(model.reads)} | {THIS: model.name}

        def find(name: str) -> Relation | None:
            if name in marks:
                return self._table(marks[name])
            places = self._named_like(name)
            return either(map(self._table, places)) if places else None

        found = [columns_read(sql, find, "duckdb") for sql in rendered(model)]
        known = [relation for relation in found if relation is not None]
        return either(known) if known and len(known) == len(found) else None

    def _table(self, name: str) -> Relation:
        relation = self._relation(name)
        return table(name, self.columns(name), is_complete=relation is not None and relation.is_closed)

    def _named_like(self, name: str) -> list[str]:
        """The tables that SQL may mean which names one without ref() or source()."""
        if not self._places:
            for known in (*self.sources, *self.models, *self.views):
                self._places.setdefault(known.lower().rpartition(".")[2], []).append(known)
        *above, last = name.split(".")
        places = list(dict.fromkeys(self._places.get(last, ())))
        exact = [place for place in places if above and place.lower() == f"{above[-1]}.{last}"]
        return exact or places


def _seen(reads: Iterable[Read]) -> Iterable[Column]:
    return ((read.table, read.column) for read in reads if read.exposes)


def _way_back(column: Column, came_from: Mapping[Column, Column | None]) -> tuple[Column, ...]:
    way: list[Column] = []
    here: Column | None = column
    while here is not None:
        way.append(here)
        here = came_from[here]
    return tuple(reversed(way))


#: what names tables otherwise than `ref` and `source`
_NAMES_TABLES: Final = re.compile(r"\b(?:(?:var|env_var|run_query|query_table)\s*\(|(?:target|adapter|session)\.)")


def _may_read_more(model: Model) -> bool:
    """Whether a model that cannot be read may read tables that it does not get from `ref` or `source`."""
    return not model.reads or _NAMES_TABLES.search(model.text) is not None
