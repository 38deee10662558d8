"""`fsync train`"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fsync.errors import InputError
from fsync.instant import to_text
from fsync_cli.console import counted, emit, emit_json, progress_bar, say, table
from fsync_cli.options import DryRun, Json, ProjectDir, Target

if TYPE_CHECKING:
    from fsync.training import TrainingReport


def train(
    labels: Annotated[
        str,
        typer.Option(
            "--labels",
            envvar="FSYNC_LABELS",
            metavar="LABELS",
            help="A .csv or .parquet file, a table of the warehouse, or a query over it.",
        ),
    ],
    timestamp: Annotated[
        str,
        typer.Option(
            "--timestamp",
            envvar="FSYNC_TIMESTAMP",
            metavar="COLUMN",
            help="The labels' time. Features are made of what happened before it.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", envvar="FSYNC_OUT", metavar="FILE", help="The .parquet file to write."),
    ] = None,
    service: Annotated[str | None, typer.Option("--service", metavar="NAME", help="A feature service.")] = None,
    features: Annotated[
        str | None,
        typer.Option("--features", metavar="A,B,…", help="Names of features, instead of a service."),
    ] = None,
    keys: Annotated[
        list[str] | None,
        typer.Option(
            "--key",
            envvar="FSYNC_KEY",
            metavar="COLUMN=LABELS_COLUMN",
            help="Which column of the labels has an entity column: user_id=buyer_id, or of one view "
            "user_lifetime.user_id=buyer_id. Again for each.",
            show_default="the one of the same name",
        ),
    ] = None,
    inclusive: Annotated[
        bool,
        typer.Option("--inclusive", envvar="FSYNC_INCLUSIVE", help="Count what happened at the very time of a label."),
    ] = False,
    memory_limit: Annotated[
        str | None,
        typer.Option(
            "--memory-limit",
            envvar="FSYNC_MEMORY_LIMIT",
            metavar="SIZE",
            help="How much memory the query may use, such as 4GB; the rest goes to disk.",
            show_default="80 % of the machine's",
        ),
    ] = None,
    dry_run: DryRun = False,
    target: Target = None,
    project_dir: ProjectDir = Path(),
    json: Json = False,
) -> None:
    """Join labels with features as of their times, into a Parquet file.

    With --dry-run everything is checked, and the query is printed instead.
    """
    from fsync.compile import plan_project
    from fsync.spec.project import open_project
    from fsync.training import training_set, write_training_set
    from fsync.warehouse.duckdb import Warehouse
    from fsync.warehouse.profile import read_profile

    if out is None and not dry_run:
        raise InputError("--out is missing: the .parquet file to write")
    if out is not None and out.suffix.lower() != ".parquet":
        raise InputError(f"--out {out} does not end in .parquet, which is what is written")
    if out is not None and Path(labels).expanduser().resolve() == out.expanduser().resolve():
        raise InputError(f"--out {out} would take the place of the labels", "name another file")
    project = open_project(project_dir)
    names = None if features is None else [name.strip() for name in features.split(",")]
    with Warehouse(read_profile(project, target)) as warehouse:
        if memory_limit is not None:
            warehouse.limit_memory(memory_limit)
        asked = training_set(
            warehouse, plan_project(project), labels, timestamp, names, service, _keys(keys or []), inclusive=inclusive
        )
        if dry_run or out is None:
            emit(asked.query)
            return
        with progress_bar("labels") as progress:
            report = write_training_set(warehouse, asked, out, progress)
    if json:
        emit_json(_as_json(report, out))
    else:
        _tell(report, out)


def _keys(given: list[str]) -> dict[str, Any]:
    """`user_id=buyer_id` and `view.user_id=buyer_id` as the library takes them."""
    keys: dict[str, Any] = {}
    for text in given:
        column, equals, of_labels = text.partition("=")
        view, dot, of_view = column.partition(".")
        if not equals or not of_labels or not column or (dot and not of_view):
            raise InputError(f"--key {text}: write COLUMN=LABELS_COLUMN, such as user_id=buyer_id")
        if dot:
            keys.setdefault(view, {})[of_view] = of_labels
        else:
            keys[column] = of_labels
    return keys


def _as_json(report: TrainingReport, out: Path) -> dict[str, Any]:
    written = {"out": out, **asdict(report)}
    written |= {name: _time(written[name]) for name in ("first_label", "last_label")}
    views = ({**view, "first": _time(view["first"]), "built_at": _time(view["built_at"])} for view in written["views"])
    return {**written, "views": list(views)}


def _time(instant: int | None) -> str | None:
    return None if instant is None else to_text(instant)


def _tell(report: TrainingReport, out: Path) -> None:
    rows = [
        [feature.name, feature.view, f"{feature.empty / report.rows:.1%}" if report.rows else "-"]
        for feature in report.features
    ]
    say(table(["feature", "view", "empty"], rows))
    if report.first_label is not None and report.last_label is not None:
        say(f"labels from {to_text(report.first_label)} to {to_text(report.last_label)}")
    if report.without_time:
        say(f"{counted(report.without_time, 'label')} without a time: their features are NULL")
    for view in report.views:
        if view.before_history:
            since = "it has no event" if view.first is None else f"its first change is at {to_text(view.first)}"
            say(f"{counted(view.before_history, 'label')} before any history of {view.name}: {since}")
        if view.after_build:
            late = f"{counted(view.after_build, 'label')} later than the build of {view.name}"
            say(f"{late} ({to_text(view.built_at)}): events before them may be missing yet")
    say(f"{report.rows:,} rows to {out} in {report.seconds:.1f} s")
