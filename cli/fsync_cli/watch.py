"""`fsync watch`"""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from fsync.errors import FsyncError, InputError
from fsync.instant import to_text
from fsync.wire import PREFIX
from fsync_cli.console import counted, emit, emit_json, progress_bar, say, shown, table, with_instants
from fsync_cli.options import Json, Online, Prefix, ProjectDir, Target, duration, instant

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fsync.plan import Plan
    from fsync.spec.project import Project
    from fsync.watch.budget import Budget
    from fsync.watch.check import Check
    from fsync.watch.history import Verdicts
    from fsync.watch.rounds import Served, Watched

_INSTANTS = ("at", "checked_at")


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
    ] = 10_000,
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

    Every check is kept in the table fsync_watch of the warehouse. Exit code 1 when something alerts.
    """
    from fsync.compile import checked_catalog
    from fsync.plan import make_plan
    from fsync.spec.project import open_project
    from fsync.warehouse.profile import read_profile
    from fsync.watch.rounds import watch as look

    project = open_project(project_dir)
    catalog = checked_catalog(project)
    make_plan(catalog).chosen(views or [])  # a wrong name is said before anything is opened
    given, pause = instant(as_of), duration(every).milliseconds / 1000
    at = catalog.policy.as_of if given is None else given
    is_once = once or at is not None  # of data that ends there is nothing to wait for
    profile = read_profile(project, target)
    with ExitStack() as opened:
        # people first: what cannot be written to a file is said when they know
        tellers = [
            _told_as(show_all, json),
            *_chat(None if dry_run else webhook, project.name, opened),
            *_metrics(prometheus, is_once),
            *_page(html, project.name),
        ]
        served = _served(project, online, prefix, opened)
        verdicts: Verdicts = {}

        def round_() -> Watched:
            nonlocal verdicts
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
                    keep=not dry_run,
                    before=verdicts,
                    progress=progress,
                )
            verdicts = found.verdicts
            _tell_all(tellers, plan, found)
            return found

        found = round_() if is_once else _again_and_again(round_, pause)
    if found.round.alerts:
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
        except Exception:
            # a watch that nobody looks at has to go on, whatever one round comes to
            traceback.print_exc()
            say("this is a bug of fsync: please report it with the lines above")
        time.sleep(max(0.0, pause - (time.monotonic() - began)))


def _tell_all(tellers: Sequence[Callable[[Plan, Watched], None]], plan: Plan, found: Watched) -> None:
    """Tell everybody; then raise the first error of those who could not be told."""
    failed: list[InputError] = []
    for tell in tellers:
        try:
            tell(plan, found)
        except InputError as error:
            failed.append(error)
    if failed:
        raise failed[0]


def _served(project: Project, online: str | None, prefix: str, opened: ExitStack) -> Served | None:
    """The store that is watched: the one named, or the project's own, where it has been pushed to."""
    from fsync.store import default_url, open_store
    from fsync.watch.rounds import Served

    own = default_url(project.root)
    if online is None and not Path(own.removeprefix("sqlite:///")).is_file():
        say("no online store is watched: name one with --online")
        return None
    return Served(opened.enter_context(closing(open_store(online or own))), prefix)


# ---------------------------------------------------------------- who is told


def _metrics(where: str | None, is_once: bool) -> Iterator[Callable[[Plan, Watched], None]]:
    if where is None:
        return
    from fsync.watch.prometheus import Metrics

    metrics = Metrics()
    port = where.removeprefix(":")
    if where.startswith(":"):
        if not port.isdigit():
            raise InputError(f"{where} is no port", "write --prometheus :9464, or a file")
        if is_once:
            raise InputError("a port is served by a watch that goes on", "leave --once away, or name a file")
        metrics.serve(int(port))

    def tell(_plan: Plan, found: Watched) -> None:
        metrics.update(found.round, found.budgets)
        if not where.startswith(":"):
            metrics.write(Path(where))

    yield tell


def _page(file: Path | None, project: str) -> Iterator[Callable[[Plan, Watched], None]]:
    if file is None:
        return
    from fsync.watch.pages import check_plotly, page_html

    check_plotly()
    if file.is_dir():
        raise InputError(f"{file} is a folder", "name a file: --html watch.html")

    def tell(plan: Plan, found: Watched) -> None:
        page = page_html(project, plan, found.round, found.points, found.budgets, found.distributions)
        # beside it, then moved: who reads it meanwhile sees a whole page
        beside = file.with_name(f".{file.name}.new")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            beside.write_text(page, encoding="utf-8")
            beside.replace(file)
        except OSError as error:
            raise InputError(f"{file} cannot be written: {error.strerror}") from error
        say(f"wrote {file}")

    yield tell


def _chat(url: str | None, project: str, opened: ExitStack) -> Iterator[Callable[[Plan, Watched], None]]:
    if url is None:
        return
    from fsync.watch.webhook import Webhook, message

    webhook = Webhook(url)

    def tell_problems() -> None:
        for problem in webhook.problems():
            say(f"not told: {problem}")

    def tell(_plan: Plan, found: Watched) -> None:
        if found.begun or found.over:
            webhook.send(message(project, found.round, found.begun, found.over))
        tell_problems()

    opened.callback(tell_problems)
    opened.callback(webhook.close)
    yield tell


def _told_as(show_all: bool, json: bool) -> Callable[[Plan, Watched], None]:
    def tell(_plan: Plan, found: Watched) -> None:
        if json:
            emit_json(_plain(found))
        else:
            _tell(found, show_all)
        if found.unkept is not None:
            say(f"not kept: {found.unkept}")

    return tell


def _plain(found: Watched) -> dict[str, Any]:
    seen = found.round
    plain = {
        "at": seen.at,
        "checked_at": seen.checked_at,
        "alerts": len(seen.alerts),
        "checks": [asdict(check) for check in seen.checks],
        "begun": [_name(check) for check in found.begun],
        "over": [_name(check) for check in found.over],
        "differences": [asdict(difference) for difference in found.differences],
        "budgets": [asdict(budget) for budget in found.budgets],
        "problems": list(seen.problems),
    }
    told: dict[str, Any] = with_instants(plain, _INSTANTS)
    return told


def _name(check: Check) -> dict[str, str]:
    return {"feature": check.feature, "signal": check.signal, "side": check.side}


def _tell(found: Watched, show_all: bool) -> None:
    seen = found.round
    told = seen.checks if show_all else seen.alerts
    rows = [[check.verdict, check.feature, check.signal, check.side, check.sentence] for check in told]
    if rows:
        emit(table(["", "feature", "signal", "side", "what was seen"], rows))
    for difference in found.differences:
        values = f"{shown(difference.online)} online, {shown(difference.offline)} offline"
        emit(f"{difference.feature} of {difference.key}: {values}: {difference.reason}")
    spent = [budget for budget in found.budgets if budget.is_spent]
    if show_all and found.budgets:
        emit(
            table(["feature", "promise", "kept in 30 days", "promised", "budget left"], list(map(_row, found.budgets)))
        )
    elif spent:
        say(f"{counted(len(spent), 'promise')} of the last 30 days used up the error budget (--all tells which)")
    features = len({check.feature for check in seen.checks})
    unknown = sum(check.verdict == "unknown" for check in seen.checks)
    untold = f", {unknown} unknown (--all tells why)" if unknown else ""
    say(
        f"{counted(features, 'feature')} as of {to_text(seen.at)}: "
        f"{counted(len(seen.checks), 'check')}, {counted(len(seen.alerts), 'alert')}{untold}"
    )


def _row(budget: Budget) -> list[str]:
    objective = "" if budget.objective is None else f"{budget.objective:.2%}"
    left = "" if budget.left is None else f"{budget.left:.0%}"
    return [budget.feature, budget.promise, f"{budget.kept:.2%}", objective, left]
