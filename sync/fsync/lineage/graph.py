"""What features and services are made of, and what is made of them: as a graph, of tables or of columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

from fsync.errors import InputError
from fsync.language.suggest import did_you_mean
from fsync.lineage.columns import Column, Upstream
from fsync.lineage.features import upstream_of
from fsync.spec.catalog import Catalog

#: a `model` is by hand; a `table` is what dbt knows as one and no file here makes: a seed, a model of a package
Kind = Literal["service", "feature", "view", "model", "table", "source", "column"]
ORDER: Final[tuple[Kind, ...]] = ("service", "feature", "view", "model", "table", "source", "column")


@dataclass(frozen=True)
class Node:
    """One thing. `id` is its kind and name, `table` the table or view of a column or feature.

    `classes` has the classes that a column's or feature's values are of, in the order of names, each with whether it is
    declared of the column itself or carried along SQL from its parts; nothing for other kinds. `is_opaque` says that
    what it is made of is not known, and taken to be everything that it could be: its SQL cannot be read without dbt.
    """

    id: str
    kind: Kind
    name: str
    table: str | None = None
    classes: tuple[tuple[str, Literal["declared", "carried"]], ...] = ()
    is_opaque: bool = False


@dataclass(frozen=True)
class Edge:
    """That `end` is made of `start`, by the ids of nodes.

    `shown` is whether values of `start` can be seen in `end`: not where they are counted, tested for NULL or chosen by.
    Of tables and services it says nothing and is true.
    """

    start: str
    end: str
    shown: bool = True


@dataclass(frozen=True)
class Graph:
    """Nodes in the order of kinds, from services to sources, and of names; edges in the order of their nodes."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    @cached_property
    def node(self) -> Mapping[str, Node]:
        """Nodes by id."""
        return {node.id: node for node in self.nodes}

    @cached_property
    def before(self) -> Mapping[str, list[Edge]]:
        """The edges that end in a node: what it is made of."""
        return self._by(lambda edge: edge.end)

    @cached_property
    def after(self) -> Mapping[str, list[Edge]]:
        """The edges that start in a node: what is made of it."""
        return self._by(lambda edge: edge.start)

    def _by(self, key: Callable[[Edge], str]) -> Mapping[str, list[Edge]]:
        found: dict[str, list[Edge]] = {node.id: [] for node in self.nodes}
        for edge in self.edges:
            found[key(edge)].append(edge)
        return found


def roots_of(catalog: Catalog, names: Iterable[str]) -> tuple[str, ...]:
    """The ids of the features and services of these names.

    Raises:
        InputError: for a name that is none of either.
    """
    known = {feature.name: f"feature:{feature.name}" for feature in catalog.features}
    services = {service.name: f"service:{service.name}" for service in catalog.services}
    roots: list[str] = []
    for name in names:
        found = [ids[name] for ids in (known, services) if name in ids]
        if not found:
            notes = did_you_mean(name, [*known, *services])
            raise InputError(f"there is no feature and no service {name!r}", notes[0] if notes else None)
        roots += found
    return tuple(roots)


def lineage_of(catalog: Catalog, names: Iterable[str], *, by_column: bool = False) -> Graph:
    """What features and services are made of, down to what dbt does not build; and what is made of them.

    Args:
        by_column: follow columns in place of tables.

    Raises:
        InputError: for a name that is no feature's and no service's.
    """
    writer = _Writer(catalog, by_column)
    roots = roots_of(catalog, names)
    edges = {*_walk(roots, writer.made_of), *_walk(roots, writer.makes)}
    ids = {*roots, *(edge.start for edge in edges), *(edge.end for edge in edges)}
    nodes = sorted((writer.node(id_) for id_ in ids), key=lambda node: (ORDER.index(node.kind), node.name, node.id))
    place = {node.id: at for at, node in enumerate(nodes)}
    return Graph(tuple(nodes), tuple(sorted(edges, key=lambda edge: (place[edge.end], place[edge.start]))))


def _walk(roots: Iterable[str], step: Callable[[str], Iterable[Edge]]) -> Iterator[Edge]:
    """All edges that can be reached."""
    waiting = list(roots)
    known = set(waiting)
    while waiting:
        here = waiting.pop()
        for edge in step(here):
            yield edge
            other = edge.start if edge.end == here else edge.end
            if other not in known:
                known.add(other)
                waiting.append(other)


class _Writer:
    """The edges around each node of a catalog."""

    def __init__(self, catalog: Catalog, by_column: bool) -> None:
        self._catalog = catalog
        self._by_column = by_column
        self._upstream: Upstream = upstream_of(catalog)
        self._features = {feature.name: feature for feature in catalog.features}
        self._services = {service.name: service for service in catalog.services}
        #: what each id of a column stands for
        self._columns: dict[str, Column] = {}
        self._derived: dict[str, list[Edge]] = {}
        self._read_by: dict[str, list[Edge]] = {}
        for feature in catalog.features:
            for edge in self._derived_from(feature.name):
                self._derived.setdefault(edge.start, []).append(edge)
        for service in catalog.services:
            for edge in self._of_service(service.name):
                self._read_by.setdefault(edge.start, []).append(edge)

    def makes(self, id_: str) -> Iterable[Edge]:
        """What is made of a feature: features that are derived from it, and services."""
        return (*self._derived.get(id_, ()), *self._read_by.get(id_, ()))

    def made_of(self, id_: str) -> Iterator[Edge]:
        kind, _, name = id_.partition(":")
        if kind == "service":
            yield from self._of_service(name)
        elif kind == "feature":
            yield from self._of_feature(name)
        elif kind == "column":
            yield from self._of_column(self._columns[id_], id_)
        else:
            yield from (Edge(self._table(table), id_) for table in self._upstream.before(name))

    def _of_service(self, name: str) -> Iterator[Edge]:
        known = (feature for feature in self._services[name].features if feature in self._features)
        return (Edge(f"feature:{feature}", f"service:{name}") for feature in known)

    def _of_feature(self, name: str) -> Iterator[Edge]:
        if self._by_column:
            yield from self._of_column((self._features[name].view, name), f"feature:{name}")
        else:
            yield Edge(f"view:{self._features[name].view}", f"feature:{name}")
            yield from self._derived_from(name)

    def _derived_from(self, name: str) -> Iterator[Edge]:
        view = self._features[name].view
        edges = self._of_column((view, name), f"feature:{name}") if self._features[name].call is None else ()
        return (edge for edge in edges if edge.start.startswith("feature:"))

    def _of_column(self, column: Column, id_: str) -> Iterator[Edge]:
        shown: dict[str, bool] = {}
        for read in self._upstream.reads(column):
            start = self._column((read.table, read.column))
            shown[start] = shown.get(start, False) or read.exposes
        return (Edge(start, id_, is_shown) for start, is_shown in shown.items())

    # ------------------------------------------------------------ nodes

    def _table(self, name: str) -> str:
        return f"{self._kind(name)}:{name}"

    def _kind(self, table: str) -> Kind:
        if table in self._upstream.views:
            return "view"
        if table in self._upstream.models:
            return "model"
        source = self._upstream.sources.get(table)
        return "source" if source is not None and source.jinja.startswith("source(") else "table"

    def _column(self, column: Column) -> str:
        table, name = column
        if name in self._upstream.views.get(table, {}):
            return f"feature:{name}"
        id_ = f"column:{table}.{name}"
        self._columns[id_] = column
        return id_

    def node(self, id_: str) -> Node:
        kind, _, name = id_.partition(":")
        if kind == "feature":
            view = self._features[name].view
            return Node(id_, "feature", name, view, self._classes((view, name)))
        if kind == "column":
            column = self._columns[id_]
            is_opaque = self._upstream.is_opaque(column[0])
            return Node(id_, "column", name, column[0], self._classes(column), is_opaque)
        is_opaque = kind == "model" and self._upstream.is_opaque(name)
        return Node(id_, _known(kind), name, is_opaque=is_opaque)

    def _classes(self, column: Column) -> tuple[tuple[str, Literal["declared", "carried"]], ...]:
        said = self._upstream.declared(column)
        return tuple((name, "declared" if name in said else "carried") for name in self._upstream.classes(column))


def _known(kind: str) -> Kind:
    return next(known for known in ORDER if known == kind)
