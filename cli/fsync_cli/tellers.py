"""Who is told what a watch came to: a person or a program, a chat, Prometheus, a page."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fsync.errors import FsyncError, InputError
from fsync.instant import to_text
from fsync.whole import whole
from fsync_cli.console import counted, emit, emit_json, say, shown, table, with_instants

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsync.plan import Plan
    from fsync.warehouse.profile import Profile
    from fsync.watch.budget import Budget
    from fsync.watch.check import Check
    from fsync.watch.rounds import Watched
    from fsync.watch.webhook import Webhook

    #: tells somebody what a round came to
    Teller = Callable[[Plan, Watched], None]

_INSTANTS: Final = ("at", "checked_at")


def tell_all(tellers: Sequence[Teller], plan: Plan, found: Watched) -> None:
    """Tell everybody; then raise the first error of those who could not be told."""
    failed: list[Exception] = []
    for tell in tellers:
        try:
            tell(plan, found)
        except Exception as error:
            # whatever keeps one from being told, the others are
            failed.append(error)
    if failed:
        raise failed[0]


def metrics_teller(where: str | None, *, is_once: bool) -> Iterator[Teller]:
    """Who keeps a file of metrics, or a port (`:9464`); none for none. Raises InputError for what cannot be one."""
    if where is None:
        return
    from fsync.watch.prometheus import Metrics

    metrics = Metrics()
    port = where.removeprefix(":")
    if where.startswith(":"):
        if not port.isdigit():
            raise InputError(f"{where} is no port", "write --prometheus :9464, or a file")
        if is_once:
            raise InputError(
                "a port is served by a watch that goes on",
                "leave --once, --as-of and vars.fsync.as_of away, or name a file",
            )
        metrics.serve(int(port))

    def tell(_plan: Plan, found: Watched) -> None:
        metrics.update(found.round, found.budgets)
        if not where.startswith(":"):
            metrics.write(Path(where))

    yield tell


def page_teller(file: Path | None, project: str) -> Iterator[Teller]:
    """Who writes a page; none for none. Raises InputError where there can be no page."""
    if file is None:
        return
    from fsync.watch.pages import check_plotly, page_html

    check_plotly()
    if file.is_dir():
        raise InputError(f"{file} is a folder", "name a file: --html watch.html")

    def tell(plan: Plan, found: Watched) -> None:
        page = page_html(project, plan, found.round, found.points, found.budgets, found.distributions)
        # who reads it meanwhile sees a whole page
        with whole(file) as unfinished:
            unfinished.write_text(page, encoding="utf-8")
        say(f"wrote {file}")

    yield tell


def chat_teller(
    webhook: Webhook | None, project: str, profile: Profile, store: str | None, opened: ExitStack
) -> Iterator[Teller]:
    """Who tells a chat what begins and what is over; none for none. Messages are waited for when `opened` closes."""
    if webhook is None:
        return
    from fsync.watch.history import amend

    def remember() -> None:
        say_undelivered(webhook)
        try:
            amend(profile, webhook.chat, store)
        except FsyncError as error:
            say(f"the next watch may not tell it again: {error}")

    opened.callback(remember)
    opened.callback(webhook.close)
    yield lambda _plan, found: webhook.send(project, found)


def say_undelivered(webhook: Webhook) -> None:
    """Say what could not be delivered; the next round knows of it."""
    for problem in webhook.undelivered():
        say(f"not told: {problem}; the next round tells it again")


def person_teller(show_all: bool, json: bool) -> Teller:
    """Who prints what alerts, or all; for a program, as JSON."""

    def tell(_plan: Plan, found: Watched) -> None:
        if json:
            emit_json(_plain(found))
        else:
            _tell(found, show_all)
        sys.stdout.flush()  # a log is read while it grows
        for problem in found.round.problems:
            say(f"not looked at: {problem}")
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
        "budgets": [asdict(budget) for budget in _budgets(found)],
        "problems": list(seen.problems),
    }
    told: dict[str, Any] = with_instants(plain, _INSTANTS)
    return told


def _name(check: Check) -> dict[str, str]:
    return {"feature": check.feature, "signal": check.signal, "side": check.side}


def _tell(found: Watched, show_all: bool) -> None:
    from fsync.watch.budget import DAYS

    seen = found.round
    told = seen.checks if show_all else seen.alerts
    rows = [[check.verdict, check.feature, check.signal, check.side, check.sentence] for check in told]
    if rows:
        emit(table(["", "feature", "signal", "side", "what was seen"], rows))
    for difference in found.differences:
        values = f"{shown(difference.online)} online, {shown(difference.offline)} offline"
        emit(f"{difference.feature} of {difference.key}: {values}: {difference.reason}")
    budgets = _budgets(found)
    spent = [budget for budget in budgets if budget.is_spent]
    if show_all and budgets:
        emit(table(["feature", "promise", f"kept in {DAYS} days", "promised", "budget left"], list(map(_row, budgets))))
    elif spent:
        say(f"{counted(len(spent), 'promise')} of the last {DAYS} days used up the error budget (--all tells which)")
    features = len({check.feature for check in seen.checks})
    unknown = sum(check.verdict == "unknown" for check in seen.checks)
    untold = f", {unknown} unknown (--all tells why)" if unknown else ""
    say(
        f"{counted(features, 'feature')} as of {to_text(seen.at)}: "
        f"{counted(len(seen.checks), 'check')}, {counted(len(seen.alerts), 'alert')}{untold}"
    )


def _budgets(found: Watched) -> list[Budget]:
    """Those of the views that were watched."""
    views = {check.view for check in found.round.checks}
    return [budget for budget in found.budgets if budget.view in views]


def _row(budget: Budget) -> list[str]:
    objective = "" if budget.objective is None else f"{100 * budget.objective:.6g}%"
    left = "" if budget.left is None else f"{budget.left:.0%}"
    return [budget.feature, budget.promise, f"{budget.kept:.2%}", objective, left]
