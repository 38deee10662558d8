"""`fsync push`"""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fsync.errors import InputError
from fsync.instant import to_text
from fsync.wire import PREFIX
from fsync_cli.console import emit_json, progress_bar, say
from fsync_cli.options import DryRun, Json, Online, Prefix, ProjectDir, Target, instant

if TYPE_CHECKING:
    from fsync.push import PushReport


def push(
    views: Annotated[
        list[str] | None, typer.Argument(metavar="VIEW", help="The views to push.", show_default="all")
    ] = None,
    online: Online = None,
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of",
            envvar="FSYNC_AS_OF",
            metavar="TIME",
            help="The instant whose values are pushed.",
            show_default="when the table's build began",
        ),
    ] = None,
    horizon: Annotated[
        str,
        typer.Option(
            "--horizon",
            envvar="FSYNC_HORIZON",
            metavar="DURATION",
            help="How far ahead the changes that are already known go along.",
        ),
    ] = "2d",
    store_empty: Annotated[
        bool,
        typer.Option(
            "--store-empty",
            envvar="FSYNC_STORE_EMPTY",
            help="Give entities at their empty values a key too, for a store that may drop keys.",
        ),
    ] = False,
    dry_run: DryRun = False,
    prefix: Prefix = PREFIX,
    target: Target = None,
    project_dir: ProjectDir = Path(),
    json: Json = False,
) -> None:
    """Bring the latest values to the online store."""
    from fsync.compile import plan_project
    from fsync.language.duration import parse_duration
    from fsync.push import push_view
    from fsync.spec.project import open_project
    from fsync.store import default_url, open_store
    from fsync.warehouse.duckdb import Warehouse
    from fsync.warehouse.profile import read_profile

    project = open_project(project_dir)
    moment = instant(as_of)
    try:
        ahead = parse_duration(horizon)
    except ValueError as error:
        raise InputError(str(error)) from error
    chosen = plan_project(project).chosen(views or [])
    with (
        closing(open_store(online or default_url(project.root))) as store,
        Warehouse(read_profile(project, target)) as warehouse,
    ):
        for view in chosen:
            warehouse.table(view)  # a view that is not built is said before any is pushed
        for view in chosen:
            with progress_bar(view.name) as progress:
                report = push_view(
                    view,
                    warehouse,
                    store,
                    as_of=moment,
                    horizon=ahead,
                    prefix=prefix,
                    sparse=not store_empty,
                    dry_run=dry_run,
                    progress=progress,
                )
            _tell(report, json)
        say(f"{'looked at' if dry_run else 'pushed to'} {store.name}")


def _tell(report: PushReport, json: bool) -> None:
    if json:
        emit_json({**asdict(report), "as_of": to_text(report.as_of), "horizon": to_text(report.horizon)})
        return
    verb = "would write" if report.dry_run else "wrote"
    say(
        f"{report.view}@{report.hash} as of {to_text(report.as_of)}: {verb} {report.written:,}, "
        f"unchanged {report.unchanged:,}, deleted {report.deleted:,} "
        f"of {report.entities:,} entities in {report.seconds:.1f} s"
    )
