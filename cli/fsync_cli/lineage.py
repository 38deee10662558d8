"""`fsync lineage`"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fsync_cli.console import emit, emit_json
from fsync_cli.options import Json, ProjectDir

if TYPE_CHECKING:
    from fsync.lineage.graph import Edge, Graph, Node


class Format(StrEnum):
    """How a graph is written."""

    TEXT = "text"
    MERMAID = "mermaid"
    JSON = "json"


def lineage(
    name: Annotated[str, typer.Argument(metavar="FEATURE", help="The name of a feature or of a service.")],
    column: Annotated[
        bool, typer.Option("--column", envvar="FSYNC_COLUMN", help="Follow columns, in place of tables.")
    ] = False,
    format_: Annotated[
        Format,
        typer.Option("--format", envvar="FSYNC_LINEAGE_FORMAT", help="For people, for documents, or for programs."),
    ] = Format.TEXT,
    project_dir: ProjectDir = Path(),
    json: Json = False,
) -> None:
    """Show what a feature or a service is made of, down to dbt's sources, and what is made of it.

    With --column, each column says of which classes it is, and whether its values can be seen in what is made of it.
    """
    from fsync.compile import checked_catalog
    from fsync.lineage.graph import lineage_of, roots_of
    from fsync.spec.project import open_project

    catalog = checked_catalog(open_project(project_dir))
    graph = lineage_of(catalog, (name,), by_column=column)
    if json or format_ is Format.JSON:
        emit_json(_as_json(graph))
    elif format_ is Format.MERMAID:
        emit("\n".join(_mermaid(graph)))
    else:
        emit("\n".join(_text(graph, roots_of(catalog, (name,)))))


# ---------------------------------------------------------------- for programs


def _as_json(graph: Graph) -> dict[str, Any]:
    return {
        "nodes": [
            {
                "id": node.id,
                "kind": node.kind,
                "name": node.name,
                "table": node.table,
                "classes": dict(node.classes),
                "opaque": node.is_opaque,
            }
            for node in graph.nodes
        ],
        "edges": [{"from": edge.start, "to": edge.end, "shown": edge.shown} for edge in graph.edges],
    }


# ---------------------------------------------------------------- for documents

_SHAPES = {
    "service": ("([", "])"),
    "feature": ("(", ")"),
    "view": ("[[", "]]"),
    "source": ("[(", ")]"),
}


def _mermaid(graph: Graph) -> Iterator[str]:
    yield "flowchart LR"
    for node in graph.nodes:
        opening, closing = _SHAPES.get(node.kind, ("[", "]"))
        said = ", ".join(_said(node))
        label = _escaped(f"{node.name} ({said})" if node.classes or node.is_opaque else node.name)
        yield f'    {_mermaid_id(node.id)}{opening}"{label}"{closing}'
    for edge in graph.edges:
        arrow = "-->" if edge.shown else "-.->"
        yield f"    {_mermaid_id(edge.start)} {arrow} {_mermaid_id(edge.end)}"


def _mermaid_id(id_: str) -> str:
    """The same id for the same thing in every picture; what may not stand in one is written as its number."""
    kind, _, name = id_.partition(":")
    return f"{kind}_" + re.sub(r"[^A-Za-z0-9_]|_(?=x[0-9a-f]+_)", lambda found: f"_x{ord(found[0]):x}_", name)


def _escaped(text: str) -> str:
    """A text in which nothing means anything to Mermaid."""
    return re.sub(r"[^\w .,()*/-]", lambda found: f"#{ord(found[0])};", text)


# ---------------------------------------------------------------- for people


def _text(graph: Graph, roots: tuple[str, ...]) -> Iterator[str]:
    for root in roots:
        yield from _tree(graph, root, upwards=True)
        if graph.after[root]:
            yield ""
            yield "made of it:"
            yield from _tree(graph, root, upwards=False)


def _tree(graph: Graph, root: str, *, upwards: bool) -> Iterator[str]:
    """One line a node, below what it makes (or is made of); what is below it is told once."""
    told: set[str] = set()

    def below(id_: str, edge: Edge | None, first: str, others: str) -> Iterator[str]:
        children = (graph.before if upwards else graph.after)[id_]
        again = id_ in told and bool(children)
        told.add(id_)
        said = [*_said(graph.node[id_]), *(["only used"] if edge is not None and not edge.shown else [])]
        yield f"{first}{graph.node[id_].name} ({', '.join([_kind(graph.node[id_]), *said])}){' …' if again else ''}"
        for at, child in enumerate([] if again else children):
            is_last = at == len(children) - 1
            next_id = child.start if upwards else child.end
            yield from below(
                next_id, child, others + ("└── " if is_last else "├── "), others + ("    " if is_last else "│   ")
            )

    yield from below(root, None, "", "")


def _kind(node: Node) -> str:
    return f"feature of {node.table}" if node.kind == "feature" else node.kind


def _said(node: Node) -> list[str]:
    return [*(f"{name} {how}" for name, how in node.classes), *(["opaque"] if node.is_opaque else [])]
