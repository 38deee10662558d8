"""Labels to SQL: what a person names, from a file, the warehouse, a query or this process, as a relation to join to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from sqlglot import exp, parse
from sqlglot.errors import SqlglotError

from fsync.errors import InputError, one_line
from fsync.language.suggest import did_you_mean
from fsync.language.types import SqlType
from fsync.plan import Member, View
from fsync.warehouse.duckdb import Warehouse

#: a file, a relation of the warehouse, a query, or a table of Arrow, pandas or Polars
Labels = Any

#: for each entity column, or for each view and then each entity column: the column of the labels
Keys = Mapping[str, Any]

_READERS: Final = {
    ".parquet": "read_parquet",
    ".csv": "read_csv",
    ".tsv": "read_csv",
    ".csv.gz": "read_csv",
    ".tsv.gz": "read_csv",
}

#: names of columns that a training set needs beside those of the labels
ROW: Final = "fsync_row"
RESERVED: Final = (ROW, "fsync_at")

#: under which name a table of this process is known to the warehouse
_GIVEN: Final = "fsync_given_labels"


@dataclass(frozen=True)
class Labelled:
    """Labels that can be joined to: `relation` is SQL, `columns` are their names and DuckDB's types, in order.

    `is_stored` tells those that can be looked at twice for little from what is parsed or computed each time.
    """

    relation: str
    columns: tuple[tuple[str, str], ...]
    is_stored: bool


def open_labels(labels: Labels, warehouse: Warehouse) -> Labelled:
    """Find labels, and look at their columns.

    Raises:
        InputError: when there are none, or they cannot be read.
    """
    relation, is_stored = _relation(labels, warehouse)
    try:
        columns = warehouse.columns(f"select * from {relation}")
    except InputError as error:
        raise InputError(f"the labels cannot be read: {error}", error.mend) from error
    return Labelled(relation, tuple(columns), is_stored)


def _relation(labels: Labels, warehouse: Warehouse) -> tuple[str, bool]:
    """Labels as SQL, and whether they are stored."""
    if not isinstance(labels, str | Path):
        # a reader gives its rows once, and labels are looked at more than once
        warehouse.give(_GIVEN, labels.read_all() if isinstance(labels, pa.RecordBatchReader) else labels)
        return _GIVEN, True
    text = str(labels)
    reader = next((reader for suffix, reader in _READERS.items() if text.lower().endswith(suffix)), None)
    if reader is not None:
        if not Path(text).expanduser().is_file():
            raise InputError(f"there is no file {text}")
        path = exp.Literal.string(str(Path(text).expanduser()))
        return exp.Anonymous(this=reader, expressions=[path]).sql(dialect="duckdb"), reader == "read_parquet"
    try:
        # what follows the last semicolon, a comment perhaps, is no query
        trees = [tree for tree in parse(text, dialect="duckdb") if not isinstance(tree, exp.Semicolon | None)]
    except SqlglotError as error:
        raise InputError(f"the labels are neither a file nor SQL: {one_line(error)}", _WHAT_LABELS_ARE) from error
    tree = trees[0] if len(trees) == 1 else None
    if isinstance(tree, exp.Query):
        return tree.subquery().sql(dialect="duckdb"), False
    if isinstance(tree, exp.Column | exp.Dot):
        return exp.to_table(text, dialect="duckdb").sql(dialect="duckdb"), True
    raise InputError(f"{text!r} is no file, relation or query", _WHAT_LABELS_ARE)


_WHAT_LABELS_ARE: Final = "labels are a .csv or .parquet file, a table of the warehouse, or a query: select … from …"


def check_labels(labelled: Labelled, timestamp: str, members: Sequence[Member], keys: Keys) -> None:
    """Hold labels against what they are to be joined with.

    Raises:
        InputError: naming everything that does not fit.
    """
    faults = [*_faults(labelled, timestamp, members, keys)]
    if faults:
        raise InputError("\n".join(dict.fromkeys(faults)))


def _faults(labelled: Labelled, timestamp: str, members: Sequence[Member], keys: Keys) -> Iterable[str]:
    columns = {name.lower(): kind for name, kind in labelled.columns}
    kind = columns.get(timestamp.lower())
    if kind is None:
        yield _no_column(timestamp, columns)
    elif kind not in ("DATE", "VARCHAR", _ALL_NULL) and not kind.startswith("TIMESTAMP"):
        yield f"the labels' {timestamp} is no time but {kind}: cast it to a timestamp"
    yield from (f"the labels have a column {name!r}: that name is ours" for name in RESERVED if name in columns)
    views = {member.view.name: member.view for member in members}
    yield from _faults_of_keys(views, keys)
    for view in views.values():
        for column in view.entity:
            asked = label_column(column.name, view.name, keys)
            if (found := columns.get(asked.lower())) is None:
                yield _no_column(asked, columns)
            elif not _is_of(found, column.type):
                yield f"the labels' {asked} is {found}, and {column.name} of {view.name} is {column.type}: cast it"
    for member in members:
        if member.planned.name in columns:
            yield f"the labels have a column {member.planned.name!r} already, which is the name of a feature"


#: how DuckDB calls the type of a column without a value
_ALL_NULL: Final = '"NULL"'
_INTEGERS: Final = (
    *("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"),
    *("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"),
)


def _is_of(kind: str, entity: SqlType | None) -> bool:
    """Whether values of DuckDB's type can be those of an entity: 42 is no text, true no number, and 0.5 no integer."""
    if kind == _ALL_NULL or entity is None:
        return True
    if entity.name == "bigint":
        return kind in _INTEGERS
    return kind == "VARCHAR" or (entity.name in ("uuid", "date") and kind == entity.name.upper())


def _faults_of_keys(views: Mapping[str, View], keys: Keys) -> Iterable[str]:
    entities = {column.name for view in views.values() for column in view.entity}
    for name, value in keys.items():
        if isinstance(value, Mapping) and name in views:
            known = [column.name for column in views[name].entity]
            unknown = (column for column in value if column not in known)
            yield from (f"keys name {column!r}, which is no entity column of {name}" for column in unknown)
        elif isinstance(value, Mapping):
            yield f"keys name {name!r}, which is no view of these features"
        elif name not in entities:
            mend = f": write {name}.COLUMN=LABELS_COLUMN" if name in views else ""
            yield f"keys name {name!r}, which is no view and no entity column{mend}"


def label_column(column: str, view: str, keys: Keys) -> str:
    """The column of the labels that has an entity column of a view."""
    of_view = keys.get(view)
    found = (of_view if isinstance(of_view, Mapping) else keys).get(column)
    return found if isinstance(found, str) else column


def _no_column(name: str, columns: Iterable[str]) -> str:
    near = did_you_mean(name, columns)
    return f"the labels have no column {name!r} ({near[0] if near else 'they have: ' + ', '.join(columns)})"
