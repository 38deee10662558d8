"""Labels to SQL: what a person names, from a file, the warehouse, a query or this process, as a relation to join to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlglot import exp, parse
from sqlglot.errors import SqlglotError

from fsync.errors import InputError, one_line
from fsync.language.suggest import did_you_mean
from fsync.plan import Member
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
    relation = _relation(labels, warehouse)
    try:
        columns = warehouse.columns(f"select * from {relation}")
    except InputError as error:
        raise InputError(f"the labels cannot be read: {error}", error.mend) from error
    is_stored = not relation.startswith(("(", "READ_CSV"))
    return Labelled(relation, tuple(columns), is_stored)


def _relation(labels: Labels, warehouse: Warehouse) -> str:
    if not isinstance(labels, str | Path):
        warehouse.give(_GIVEN, labels)
        return _GIVEN
    text = str(labels)
    reader = next((reader for suffix, reader in _READERS.items() if text.lower().endswith(suffix)), None)
    if reader is not None:
        if not Path(text).expanduser().is_file():
            raise InputError(f"there is no file {text}")
        path = exp.Literal.string(str(Path(text).expanduser()))
        return exp.Anonymous(this=reader, expressions=[path]).sql(dialect="duckdb")
    try:
        trees = parse(text, dialect="duckdb")
    except SqlglotError as error:
        raise InputError(f"the labels are neither a file nor SQL: {one_line(error)}", _WHAT_LABELS_ARE) from error
    (tree,) = trees if len(trees) == 1 else (None,)
    if isinstance(tree, exp.Query):
        return tree.subquery().sql(dialect="duckdb")
    if isinstance(tree, exp.Column | exp.Dot):
        return exp.to_table(text, dialect="duckdb").sql(dialect="duckdb")
    raise InputError(f"{text!r} is no file, relation or query", _WHAT_LABELS_ARE)


_WHAT_LABELS_ARE: Final = "labels are a .csv or .parquet file, a table of the warehouse, or a query: select … from …"


def check_labels(labelled: Labelled, timestamp: str, members: Sequence[Member], keys: Keys) -> None:
    """Hold labels against what they are to be joined with.

    Raises:
        InputError: naming everything that does not fit.
    """
    faults = [*_faults(labelled, timestamp, members, keys)]
    if faults:
        raise InputError("\n".join(faults))


def _faults(labelled: Labelled, timestamp: str, members: Sequence[Member], keys: Keys) -> Iterable[str]:
    columns = {name.lower(): kind for name, kind in labelled.columns}
    kind = columns.get(timestamp.lower())
    if kind is None:
        yield _no_column(timestamp, columns)
    elif kind not in ("DATE", "VARCHAR") and not kind.startswith("TIMESTAMP"):
        yield f"the labels' {timestamp} is no time but {kind}: cast it to a timestamp"
    views = {member.view.name: member.view for member in members}
    entities = {column.name for view in views.values() for column in view.entity}
    known = {*views, *entities}
    yield from (f"keys name {key!r}, which is no view and no entity column" for key in keys if key not in known)
    asked = {label_column(column.name, view.name, keys) for view in views.values() for column in view.entity}
    yield from (_no_column(column, columns) for column in sorted(asked) if column.lower() not in columns)
    for member in members:
        if member.planned.name in columns:
            yield f"the labels have a column {member.planned.name!r} already, which is the name of a feature"


def label_column(column: str, view: str, keys: Keys) -> str:
    """The column of the labels that has an entity column of a view."""
    of_view = keys.get(view, keys)
    return str(of_view.get(column, column))


def _no_column(name: str, columns: Iterable[str]) -> str:
    near = did_you_mean(name, columns)
    return f"the labels have no column {name!r} ({near[0] if near else 'they have: ' + ', '.join(columns)})"
