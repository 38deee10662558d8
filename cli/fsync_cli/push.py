"""`fsync push`"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fsync.instant import to_text
from fsync.wire import PREFIX
from fsync_cli.console import emit_json, progress_bar, say
from fsync_cli.options import DryRun, Json, Online, Prefix, ProjectDir, Target, duration, instant

if TYPE_CHECKING:
    from fsync.push import PushReport, ServiceReport


def push(
    views: Annotated[
        list[str] | None, typer.Argument(metavar="VIEW", help="The views to push.", show_default="all")
    ] = None,
    online: Online = None,
    snapshot: Annotated[
        str | None,
        typer.Option(
            "--snapshot",
            envvar="FSYNC_SNAPSHOT",
            metavar="URL",
            help="Push to this store too, from which readers go on while the online store does not answer.",
            show_default="none",
        ),
    ] = None,
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
    full: Annotated[
        bool,
        typer.Option("--full", envvar="FSYNC_FULL", help="Write every value anew, whatever the store seems to hold."),
    ] = False,
    dry_run: DryRun = False,
    prefix: Prefix = PREFIX,
    target: Target = None,
    project_dir: ProjectDir = Path(),
    json: Json = False,
) -> None:
    """Bring the latest values to the online store: only what differs from what it holds is sent."""
    from fsync.push import push_project
    from fsync.spec.project import open_project
    from fsync.store import default_url

    project = open_project(project_dir)
    reports = push_project(
        project,
        [online or default_url(project.root), *([snapshot] if snapshot else [])],
        views=views or (),
        target=target,
        as_of=instant(as_of),
        horizon=duration(horizon, "--horizon"),
        prefix=prefix,
        sparse=not store_empty,
        full=full,
        dry_run=dry_run,
        watching=lambda view: progress_bar(view.name, "keys/s"),
    )
    for store, of_store in groupby(reports, key=lambda report: report.store):
        say(f"{'looking at' if dry_run else 'pushing to'} {store}")
        for report in of_store:
            if json:
                _emit(report)
            else:
                say(_told(report))


def _emit(report: PushReport | ServiceReport) -> None:
    from fsync.push import ServiceReport

    if isinstance(report, ServiceReport):
        emit_json(asdict(report))
        return
    times = {"as_of": to_text(report.as_of), "horizon": to_text(report.horizon)}
    emit_json({**asdict(report), "written": report.written, "keys": report.keys, **times})


def _told(report: PushReport | ServiceReport) -> str:
    from fsync.push import ServiceReport

    return _of_service(report) if isinstance(report, ServiceReport) else _of_view(report)


def _of_service(report: ServiceReport) -> str:
    if report.waits_for:
        return f"service {report.service}: waits for {', '.join(report.waits_for)} to be pushed as the specs say now"
    verb = "would write" if report.dry_run else "wrote"
    return f"service {report.service}: {f'{verb} its definition' if report.changed else 'unchanged'}"


def _of_view(report: PushReport) -> str:
    return f"{report.view}@{report.hash} as of {to_text(report.as_of)}: {', '.join(_done(report))}"


def _done(report: PushReport) -> Iterator[str]:
    verb = "would write" if report.dry_run else "wrote"
    yield f"{verb} {report.written:,} keys ({report.new:,} new, {report.changed:,} changed)"
    yield f"unchanged {report.unchanged:,}"
    yield f"{'would delete' if report.dry_run else 'deleted'} {report.deleted:,} in {report.seconds:.1f} s"
