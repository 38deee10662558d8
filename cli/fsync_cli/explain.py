"""`fsync explain`"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fsync.instant import now, to_text
from fsync.read import Reader
from fsync.wire import PREFIX
from fsync_cli.console import counted, emit, emit_json, say, shown, table, with_instants
from fsync_cli.options import Json, Online, Prefix, ProjectDir, Target, embedded, instant

if TYPE_CHECKING:
    from fsync.explain import Behind, Explanation

_INSTANTS = ("at", "valid_from", "valid_to", "built_at", "as_of", "horizon", "since", "until")


def explain(
    feature: Annotated[str, typer.Argument(metavar="FEATURE", help="The name of a feature.")],
    key: Annotated[
        str,
        typer.Argument(
            metavar="KEY", help="An entity; the columns of one are joined by '|'. A negative number goes after --."
        ),
    ],
    at: Annotated[
        str | None,
        typer.Option("--at", envvar="FSYNC_AT", metavar="TIME", help="The instant asked for.", show_default="now"),
    ] = None,
    sample: Annotated[
        int, typer.Option("--sample", envvar="FSYNC_SAMPLE", min=0, help="How many events are shown at most.")
    ] = 10,
    online: Online = None,
    prefix: Prefix = PREFIX,
    target: Target = None,
    project_dir: ProjectDir = Path(),
    json: Json = False,
) -> None:
    """Show a feature online and offline at one instant, the events behind it, and why the two differ if they do.

    The exit code is 1 when they differ, or there is nothing to compare.
    """
    from fsync.compile import plan_project
    from fsync.errors import NotBuilt
    from fsync.explain import explain as look
    from fsync.spec.project import open_project
    from fsync.warehouse.duckdb import Warehouse
    from fsync.warehouse.profile import read_profile

    project = open_project(project_dir)
    (member,) = plan_project(project).members((feature,))
    with ExitStack() as opened:
        try:
            warehouse = opened.enter_context(Warehouse(read_profile(project, target)))
        except NotBuilt:
            warehouse = None
        reader = opened.enter_context(Reader(online or embedded(project_dir), prefix=prefix))
        moment = instant(at)
        found = look(
            member,
            key,
            now() if moment is None else moment,
            project=project,
            warehouse=warehouse,
            reader=reader,
            sample=sample,
        )
    if json:
        emit_json(with_instants(asdict(found), _INSTANTS))
    else:
        _tell(found)
    if not found.agrees:
        raise typer.Exit(1)


def _tell(found: Explanation) -> None:
    say(f"{found.feature} of {found.view}@{found.hash}, entity {found.key} at {to_text(found.at)}")
    made_of = f", made of {', '.join(found.made_of)}" if found.made_of else ""
    say(", ".join([found.definition, *found.conditions]) + made_of)
    rows = [["offline", *_offline(found)], ["online", *_online(found)]]
    emit(table(["", "value", "what it is"], rows))
    say(found.verdict)
    _tell_behind(found.behind)


def _offline(found: Explanation) -> tuple[str, str]:
    offline = found.offline
    if offline.problem is not None or offline.built_at is None:
        return "-", offline.problem or ""
    built = f"version {offline.hash}, built at {to_text(offline.built_at)}"
    if offline.valid_from is None or offline.valid_to is None:
        return shown(offline.value), f"empty: the entity has no row yet; {built}"
    holds = f"holds after {to_text(offline.valid_from)}, until {to_text(offline.valid_to)}"
    return shown(offline.value), f"{holds}; {built}"


def _online(found: Explanation) -> tuple[str, str]:
    online = found.online
    if online.problem is not None or online.as_of is None:
        return "-", online.problem or ""
    return shown(online.value), f"{online.status.value}; version {online.hash}, pushed as of {to_text(online.as_of)}"


def _tell_behind(behind: Behind) -> None:
    since = "the beginning" if behind.since is None else to_text(behind.since)
    if behind.problem is not None:
        say(f"the events behind it cannot be shown: {behind.problem}")
        return
    say(f"{counted(behind.count, 'event')} behind it, from {since} until before {to_text(behind.until)}")
    if behind.rows:
        emit(table(list(behind.columns), [[shown(value) for value in row] for row in behind.rows]))
    if behind.count > len(behind.rows):
        say(f"(the newest {len(behind.rows)} of them)")
