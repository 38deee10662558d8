"""Columns of sources, followed through the SQL of models by hand to where they come from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from fsync.lineage.query import ALL, Read, Reads, columns_read
from fsync.spec.model import Model, placeholder, rendered
from fsync.spec.source import Source

#: (table, column), the table by the name a spec uses
Column = tuple[str, str]


@dataclass(frozen=True, eq=False)
class Upstream:
    """What stands before features: `models` by hand, `sources` as dbt's YAML declares them."""

    sources: Mapping[str, Source]
    models: Mapping[str, Model]
    _known: dict[str, Mapping[str, Reads] | None] = field(default_factory=dict)
    _classes: dict[Column, Mapping[str, tuple[Column, ...]]] = field(default_factory=dict)

    def reads(self, column: Column) -> Reads:
        """What a column is made of: nothing for one of a source of dbt's, or of a seed.

        Of a model that cannot be read, every column is taken to be made of all columns of all it reads.
        """
        table, name = column
        model = self.models.get(table)
        if model is None:
            return frozenset()
        outputs = self._outputs(model)
        if outputs is None:
            return frozenset(Read(other, known, exposes=True) for other in model.reads for known in self.columns(other))
        if name in outputs:
            return outputs[name]
        return frozenset(replace(read, column=name) for read in outputs.get(ALL, ()))

    def columns(self, table: str) -> tuple[str, ...]:
        """The columns that a table is known to have: what its YAML declares, and what its SQL gives."""
        declared = self.sources[table].columns if table in self.sources else {}
        outputs = self._outputs(self.models[table]) if table in self.models else None
        return tuple(dict.fromkeys([*declared, *(name for name in outputs or () if name != ALL)]))

    def tables(self, table: str) -> frozenset[str]:
        """A table and all that stands before it."""
        found: set[str] = set()
        waiting = [table]
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += self.models[name].reads if name in self.models else ()
        return frozenset(found)

    def is_opaque(self, table: str) -> bool:
        """Whether a table is a model by hand whose SQL cannot be read."""
        return table in self.models and self._outputs(self.models[table]) is None

    def classes(self, column: Column) -> Mapping[str, tuple[Column, ...]]:
        """The classes of a column, each with the way to the column that is declared to be of it, which may be itself.

        What a column's own YAML says goes before what its parts are of.
        """
        if column not in self._classes:
            self._classes[column] = {}  # models that read each other are dbt's to refuse
            self._classes[column] = self._found(column)
        return self._classes[column]

    def _found(self, column: Column) -> Mapping[str, tuple[Column, ...]]:
        table, name = column
        declared = self.sources[table].columns.get(name) if table in self.sources else None
        if declared is not None and declared.classes is not None:
            return dict.fromkeys(declared.classes, (column,))
        found: dict[str, tuple[Column, ...]] = {}
        for read in sorted(self.reads(column), key=lambda read: (read.table, read.column)):
            if read.exposes:
                for name, way in self.classes((read.table, read.column)).items():
                    found.setdefault(name, (column, *way))
        return found

    def _outputs(self, model: Model) -> Mapping[str, Reads] | None:
        if model.name not in self._known:
            self._known[model.name] = None
            self._known[model.name] = self._analysed(model)
        return self._known[model.name]

    def _analysed(self, model: Model) -> Mapping[str, Reads] | None:
        sql = rendered(model)
        if sql is None:
            return None
        names = {placeholder(number): name for number, name in enumerate(model.reads)}
        outputs = columns_read(sql, {mark: self.columns(name) for mark, name in names.items()}, "duckdb")
        return None if outputs is None else {column: _named(reads, names) for column, reads in outputs.items()}


def _named(reads: Iterable[Read], names: Mapping[str, str]) -> Reads:
    """The same, of tables by their names in place of placeholders. Tables that are neither are none of dbt's."""
    return frozenset(replace(read, table=names.get(read.table, read.table)) for read in reads)
