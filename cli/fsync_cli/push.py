"""`fsync push`"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fsync.instant import to_text
from fsync.wire import PREFIX
from fsync_cli.console import emit_json, progress_bar, say
from fsync_cli.options import DryRun, Json, Online, Prefix, ProjectDir, Target, duration, instant

if TYPE_CHECKING:
    from fsync.push import PushReport
    from fsync.services import ServiceReport


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
    from fsync.access import refuse_forbidden
    from fsync.compile import plan_project
    from fsync.push import push_view
    from fsync.pushed import folder_of
    from fsync.services import push_services
    from fsync.spec.project import open_project
    from fsync.store import default_url, open_store, public_url
    from fsync.warehouse.duckdb import Warehouse
    from fsync.warehouse.profile import read_profile

    project = open_project(project_dir)
    moment, ahead = instant(as_of), duration(horizon)
    plan = plan_project(project)
    chosen = plan.chosen(views or [])
    with ExitStack() as opened:
        urls = [online or default_url(project.root), *([snapshot] if snapshot else [])]
        for url in urls:
            refuse_forbidden(chosen, plan.access, public_url(url))
        stores = [opened.enter_context(closing(open_store(url))) for url in urls]
        warehouse = opened.enter_context(Warehouse(read_profile(project, target)))
        for view in chosen:
            warehouse.table(view)  # a view that is not built is said before any is pushed
        for store in stores:
            for view in chosen:
                with progress_bar(view.name, "keys/s") as progress:
                    report = push_view(
                        view,
                        warehouse,
                        store,
                        record=folder_of(project.root, store, prefix, view.name, view.hash),
                        as_of=moment,
                        horizon=ahead,
                        prefix=prefix,
                        sparse=not store_empty,
                        full=full,
                        dry_run=dry_run,
                        progress=progress,
                    )
                _tell(report, store.name, json)
            services, pushing = plan.services_of(chosen), [view.name for view in chosen] if dry_run else []
            for told in push_services(services, store, horizon=ahead, prefix=prefix, dry_run=dry_run, pushing=pushing):
                _tell_service(told, store.name, json)
            say(f"{'looked at' if dry_run else 'pushed to'} {store.name}")


def _tell_service(report: ServiceReport, store: str, json: bool) -> None:
    if json:
        emit_json({"store": store, **asdict(report)})
    elif report.waits_for:
        say(f"service {report.service}: waits for {', '.join(report.waits_for)} to be pushed as the specs say now")
    else:
        verb = "would write" if report.dry_run else "wrote"
        say(f"service {report.service}: {f'{verb} its definition' if report.changed else 'unchanged'}")


def _tell(report: PushReport, store: str, json: bool) -> None:
    if json:
        times = {"as_of": to_text(report.as_of), "horizon": to_text(report.horizon)}
        emit_json({"store": store, **asdict(report), "written": report.written, "keys": report.keys, **times})
        return
    say(f"{report.view}@{report.hash} as of {to_text(report.as_of)}: {', '.join(_done(report))}")


def _done(report: PushReport) -> Iterator[str]:
    verb = "would write" if report.dry_run else "wrote"
    yield f"{verb} {report.written:,} keys ({report.new:,} new, {report.changed:,} changed)"
    yield f"unchanged {report.unchanged:,}"
    yield f"{'would delete' if report.dry_run else 'deleted'} {report.deleted:,} in {report.seconds:.1f} s"
