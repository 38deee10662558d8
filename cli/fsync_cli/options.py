"""The options that commands share, each also an FSYNC_… variable."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fsync.errors import InputError
from fsync.instant import to_milliseconds


def instant(text: str | None) -> int | None:
    """The time that an option gives, in milliseconds; raises InputError for what is none."""
    try:
        return None if text is None else to_milliseconds(text)
    except ValueError as error:
        raise InputError(str(error)) from error


ProjectDir = Annotated[
    Path,
    typer.Option("--project-dir", envvar="FSYNC_PROJECT_DIR", help="A folder of the dbt project.", show_default="."),
]
Target = Annotated[
    str | None,
    typer.Option(
        "--target", "-t", envvar="FSYNC_TARGET", help="The target of dbt's profile.", show_default="the profile's"
    ),
]
Online = Annotated[
    str | None,
    typer.Option(
        "--online",
        envvar="FSYNC_ONLINE",
        help="The online store: redis://host:6379/0 or sqlite:///file.",
        show_default="online.sqlite in the project",
    ),
]
Prefix = Annotated[
    str,
    typer.Option("--prefix", envvar="FSYNC_PREFIX", help="What every key of this deployment starts with."),
]
Json = Annotated[bool, typer.Option("--json", envvar="FSYNC_JSON", help="Print JSON, for programs.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", envvar="FSYNC_DRY_RUN", help="Say what would change, and change nothing.")
]
