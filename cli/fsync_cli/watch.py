"""`fsync watch`"""

from __future__ import annotations

import time
import traceback
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from fsync.errors import FsyncError
from fsync.instant import to_text
from fsync.wire import PREFIX
from fsync_cli.console import progress_bar, say
from fsync_cli.options import Json, Online, Prefix, ProjectDir, Target, duration, instant
from fsync_cli.tellers import chat_teller, metrics_teller, page_teller, person_teller, say_undelivered, tell_all

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsync.plan import Plan
    from fsync.spec.project import Project
    from fsync.watch.rounds import Watched, WatchedStore


def watch(
    views: Annotated[
        list[str] | None, typer.Argument(metavar="VIEW", help="The views to watch.", show_default="all")
    ] = None,
    once: Annotated[bool, typer.Option("--once", envvar="FSYNC_WATCH_ONCE", help="Look once, and end.")] = False,
    every: Annotated[
        str,
        typer.Option("--every", envvar="FSYNC_WATCH_EVERY", metavar="DURATION", help="How often to look."),
    ] = "5m",
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of",
            envvar="FSYNC_AS_OF",
            metavar="TIME",
            help="Look once, at this instant: for data that ends.",
            show_default="vars.fsync.as_of, or now",
        ),
    ] = None,
    show_all: Annotated[
        bool, typer.Option("--all", envvar="FSYNC_WATCH_ALL", help="Tell every check, not only what alerts.")
    ] = False,
    parity: Annotated[
        bool,
        typer.Option(
            "--parity", envvar="FSYNC_WATCH_PARITY", help="Look entities up online and offline, and tell differences."
        ),
    ] = False,
    sample: Annotated[
        int,
        typer.Option(
            "--sample", envvar="FSYNC_WATCH_SAMPLE", min=100, help="How many entities of a view are compared, about."
        ),
    ] = 10_000,  # fsync.watch.offline.SAMPLE, which would load all of it
    html: Annotated[
        Path | None, typer.Option("--html", envvar="FSYNC_WATCH_HTML", help="Write a page.", show_default="none")
    ] = None,
    prometheus: Annotated[
        str | None,
        typer.Option(
            "--prometheus",
            envvar="FSYNC_WATCH_PROMETHEUS",
            metavar="FILE|:PORT",
            help="Write metrics for Prometheus, or serve them.",
            show_default="none",
        ),
    ] = None,
    webhook: Annotated[
        str | None,
        typer.Option(
            "--webhook",
            envvar="FSYNC_WATCH_WEBHOOK",
            metavar="URL",
            help="Post what begins to alert and what is over, as Slack takes it.",
            show_default="none",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", envvar="FSYNC_DRY_RUN", help="Look and say, keep nothing, and tell no chat.")
    ] = False,
    online: Online = None,
    prefix: Prefix = PREFIX,
    target: Target = None,
    project_dir: ProjectDir = Path(),
    json: Json = False,
) -> None:
    """Watch features: freshness, NULLs, drift and availability, of tables and of what is served.

    Every check is kept in the table fsync_watch of the warehouse. Exit code 1 when something alerts, or cannot be
    looked at.
    """
    from fsync.compile import checked_catalog
    from fsync.plan import make_plan
    from fsync.spec.project import open_project
    from fsync.warehouse.profile import read_profile
    from fsync.watch.rounds import watch as look
    from fsync.watch.webhook import Webhook

    project = open_project(project_dir)
    catalog = checked_catalog(project)
    make_plan(catalog).chosen(views or [])  # a wrong name is said before anything is opened
    given, pause = instant(as_of), duration(every, "--every").milliseconds / 1000
    at = catalog.policy.as_of if given is None else given
    is_once = once or at is not None  # of data that ends there is nothing to wait for
    if at is not None and given is None and not once:
        say(f"looking once, as of {to_text(at)}: vars.fsync.as_of says that the data ends there")
    profile = read_profile(project, target)
    hook = None if webhook is None or dry_run else Webhook(webhook)
    with ExitStack() as opened:
        served = _served(project, online, prefix, opened)
        # people first: what cannot be written to a file is said when they know
        tellers = [
            person_teller(show_all, json),
            *chat_teller(hook, project.name, profile, None if served is None else served.name, opened),
            *metrics_teller(prometheus, is_once=is_once),
            *page_teller(html, project.name),
        ]

        def look_around() -> tuple[Plan, Watched]:
            # read again each time: specs change, and tables with them
            plan = make_plan(checked_catalog(project))
            with progress_bar("watch") as progress:
                found = look(
                    plan.chosen(views or []),
                    project,
                    plan,
                    profile,
                    served,
                    at,
                    sample=sample,
                    parity=parity,
                    for_page=html is not None,
                    is_kept=not dry_run,
                    chat=None if hook is None else hook.chat,
                    progress=progress,
                )
            return plan, found

        def round_() -> Watched:
            if hook is not None:
                say_undelivered(hook)
            try:
                plan, found = look_around()
            except Exception as error:
                # whoever relies on the chat takes silence for a good sign
                if hook is not None:
                    hook.send_problem(project.name, str(error) if isinstance(error, FsyncError) else "a bug of fsync")
                raise
            tell_all(tellers, plan, found)
            return found

        found = round_() if is_once else _again_and_again(round_, pause)
    if found.round.alerts or found.round.problems:
        raise typer.Exit(1)
    if found.unkept is not None:
        raise typer.Exit(3)


def _again_and_again(round_: Callable[[], Watched], pause: float) -> NoReturn:
    """Rounds until Ctrl-C. What keeps one from being made is told, and is no reason to end."""
    while True:
        began = time.monotonic()
        try:
            round_()
        except FsyncError as error:
            say(f"error: {error}")
        except BrokenPipeError:
            raise  # nobody reads what is printed any more
        except Exception:
            # a watch that nobody looks at has to go on, whatever one round comes to
            traceback.print_exc()
            say("this is a bug of fsync: please report it with the lines above")
        time.sleep(max(0.0, pause - (time.monotonic() - began)))


def _served(project: Project, online: str | None, prefix: str, opened: ExitStack) -> WatchedStore | None:
    """The store that is watched: the one named, or the project's own, where it has been pushed to."""
    from fsync.store import default_url, open_store
    from fsync.watch.rounds import WatchedStore

    own = default_url(project.root)
    if online is None and not Path(own.removeprefix("sqlite:///")).is_file():
        say("no online store is watched: name one with --online")
        return None
    return WatchedStore(opened.enter_context(closing(open_store(online or own))), prefix)
