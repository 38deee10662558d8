"""`fsync rollback`"""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from fsync.instant import to_text
from fsync.wire import PREFIX
from fsync_cli.console import emit_json, say
from fsync_cli.options import Json, Online, Prefix, ProjectDir, embedded


def rollback(
    view: Annotated[str, typer.Argument(metavar="VIEW", help="The view whose earlier version is to be served.")],
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            envvar="FSYNC_TO",
            metavar="HASH",
            help="The version to serve.",
            show_default="the one that was served before",
        ),
    ] = None,
    online: Online = None,
    prefix: Prefix = PREFIX,
    project_dir: ProjectDir = Path(),
    json: Json = False,
) -> None:
    """Serve the version of a view that was pushed before, while its keys are there. Twice is back again.

    The specs stay as they are: the next push of the view serves their version again.
    """
    from fsync.access import allowed_by
    from fsync.rollback import roll_back
    from fsync.store import open_store, public_url

    url = online or embedded(project_dir)
    with closing(open_store(url)) as store:
        report = roll_back(view, store, prefix=prefix, to=to, allowed=allowed_by(project_dir, public_url(url)))
    if json:
        emit_json({**asdict(report), "as_of": to_text(report.as_of), "horizon": to_text(report.horizon)})
        return
    say(
        f"{report.view}@{report.hash} as of {to_text(report.as_of)} is served again, instead of {report.replaces}; "
        f"it ends in {report.lives / 3_600_000:.0f} h, or with the next push"
    )
