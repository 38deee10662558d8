"""The options that commands share, each also an FSYNC_… variable."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fsync.errors import InputError
from fsync.instant import to_milliseconds

if TYPE_CHECKING:
    from fsync.language.duration import Duration


def instant(text: str | None) -> int | None:
    """The time that an option gives, in milliseconds; raises InputError for what is none."""
    try:
        return None if text is None else to_milliseconds(text)
    except ValueError as error:
        raise InputError(str(error)) from error


def duration(text: str, option: str) -> Duration:
    """The duration that an option gives; raises InputError for what is none."""
    from fsync.language.duration import HOW_TO_WRITE, parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise InputError(f"{option}: {error}", HOW_TO_WRITE) from error


def embedded(project_dir: Path) -> str:
    """The URL of a project's own store."""
    from fsync.spec.project import open_project
    from fsync.store import default_url

    return default_url(open_project(project_dir).root)


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
        help="The online store: redis://host:6379/0, redis+cluster://…, redis+sentinel://…, or sqlite:///file.",
        show_default="online.sqlite in the project",
    ),
]
Snapshot = Annotated[
    str | None,
    typer.Option(
        "--snapshot",
        envvar="FSYNC_SNAPSHOT",
        help="A SQLite store to read from while the online store does not answer: sqlite:///file.",
        show_default="none",
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
