"""`fsync plan`"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fsync.wire import PREFIX
from fsync_cli.console import counted, emit, emit_json, markdown_table, say, table
from fsync_cli.options import Json, Online, Prefix, ProjectDir, Target, embedded

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsync.planning import ChangeReport, ViewChange
    from fsync.planning.changes import FeatureChange


class Format(StrEnum):
    """How a plan is written."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


def plan(
    ref: Annotated[
        str | None,
        typer.Option(
            "--ref",
            envvar="FSYNC_PLAN_REF",
            metavar="REF",
            help="Compare with the specs of this commit, branch or tag of git.",
            show_default="with what is built and served",
        ),
    ] = None,
    exit_code: Annotated[
        bool,
        typer.Option("--exit-code", envvar="FSYNC_PLAN_EXIT_CODE", help="Exit with 1 if values of features change."),
    ] = False,
    sample: Annotated[
        int,
        typer.Option(
            "--sample",
            envvar="FSYNC_PLAN_SAMPLE",
            min=0,
            help="How many entities are looked at to see how much changes.",
        ),
    ] = 1_000,
    format_: Annotated[
        Format,
        typer.Option("--format", envvar="FSYNC_PLAN_FORMAT", help="For people, for a pull request, or for programs."),
    ] = Format.TEXT,
    online: Online = None,
    prefix: Prefix = PREFIX,
    target: Target = None,
    project_dir: ProjectDir = Path(),
    json: Json = False,
) -> None:
    """Say what a build and a push of the specs would change, and whom it hits. Nothing is written."""
    from fsync.planning import plan_changes
    from fsync.spec.project import open_project

    report = plan_changes(
        open_project(project_dir), online or embedded(project_dir), prefix, target=target, ref=ref, sample=sample
    )
    if json or format_ is Format.JSON:
        emit_json({**asdict(report), "changes_values": report.changes_values})
    else:
        _tell(report, is_markdown=format_ is Format.MARKDOWN)
    if exit_code and report.changes_values:
        raise typer.Exit(1)


def _tell(report: ChangeReport, *, is_markdown: bool) -> None:
    draw = markdown_table if is_markdown else table
    parts = [*_parts(report, draw)]
    emit(("\n\n" if is_markdown else "\n").join(parts))
    for problem in report.problems:
        say(f"not looked at: {problem}")


def _parts(report: ChangeReport, draw: Callable[[list[str], list[list[str]]], str]) -> Iterator[str]:
    from fsync.planning.changes import Change

    counts = ", ".join(f"{report.count(change)} {change}" for change in Change if report.count(change))
    yield f"Against {report.against}: {counts or 'no feature changes'}."
    shares = {name: share for view in report.views for name, share in view.shares.items()}
    if report.features:
        rows = [_feature_row(found, shares) for found in report.features]
        yield draw(["change", "feature", "view", "version", "values that differ", "what"], rows)
    if report.views:
        rows = [_view_row(view) for view in report.views]
        yield draw(["view", "was", "will be", "built", "served", "rows to build", "time"], rows)
    if report.services:
        yield f"Services that read them: {', '.join(report.services)}."
    if report.owners:
        yield f"Owners to talk to: {', '.join(report.owners)}."
    looked = sum(view.entities for view in report.views)
    if shares:
        yield f"Values that differ: at every change so far of {counted(looked, 'sampled entity', 'sampled entities')}."
    for view in report.views:
        if view.problem is not None:
            yield f"{view.view} could not be sampled: {view.problem}."


def _feature_row(found: FeatureChange, shares: dict[str, float]) -> list[str]:
    from fsync.planning.changes import Change

    share = shares.get(found.feature) if found.change is Change.CHANGED else None
    what = "; ".join(f"{one.what}: {_said(one.before)} → {_said(one.after)}" for one in found.differences)
    if found.change is Change.CHANGED and not what:
        what = "through what it reads"
    return [found.change, found.feature, found.view, found.version or "", "" if share is None else f"{share:.1%}", what]


def _said(text: str | None) -> str:
    return text if text else "nothing"


def _view_row(view: ViewChange) -> list[str]:
    is_built = view.is_built_anew
    return [
        view.view,
        view.before or "not there",
        view.after or "gone",
        view.built or "not built",
        view.served or "not pushed",
        f"{view.rows:,}" if is_built and view.rows is not None else "unknown" if is_built else "",
        f"{view.seconds:,.1f} s" if is_built and view.seconds is not None else "unknown" if is_built else "",
    ]
