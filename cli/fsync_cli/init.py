"""`fsync init`"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from fsync.errors import InputError
from fsync_cli.console import emit_json, say
from fsync_cli.options import DryRun, Json, ProjectDir

if TYPE_CHECKING:
    from fsync.adopting.adopt import AdoptReport, Step

_NEXT: Final = """\
next
  1. dbt deps                 installs the macros
  2. declare an event_time    in the YAML of the model that you want features of:
                                  config: {event_time: ordered_at}
                              with the data_type of each column, and a unique test
  3. fsync new                begins a spec in feature_specs/
  4. fsync doctor             says what is still amiss, in profiles.yml for example
  5. fsync build              compiles the spec, and lets dbt build and test the feature table"""


def init(
    git: Annotated[
        str | None,
        typer.Option(
            "--git",
            envvar="FSYNC_GIT",
            metavar="URL",
            help="Let dbt clone the macros from this repository, instead of copying them into the project.",
        ),
    ] = None,
    revision: Annotated[
        str | None,
        typer.Option("--revision", envvar="FSYNC_REVISION", metavar="REV", help="The tag or commit for --git."),
    ] = None,
    dry_run: DryRun = False,
    project_dir: ProjectDir = Path(),
    json: Json = False,
) -> None:
    """Add what fsync needs to a dbt project: the macros, a folder for specs, and who may own features.

    What is there already is left alone. The exit code is 1 when something is to be added by hand.
    """
    from fsync.adopting.adopt import Git, adopt
    from fsync.spec.project import open_project

    if git is None and revision is not None:
        raise InputError("--revision says which state of a --git repository", "give --git, or leave it away")
    repository = None if git is None else Git(git, revision)
    report = adopt(open_project(project_dir), git=repository, dry_run=dry_run)
    if json:
        steps = [asdict(step) for step in report.steps]
        emit_json({"project": report.project, "steps": steps, "complete": report.is_complete, "dry_run": dry_run})
    else:
        _tell(report, dry_run=dry_run)
    if not report.is_complete:
        raise typer.Exit(1)


def _tell(report: AdoptReport, *, dry_run: bool) -> None:
    if not report.steps:
        say(f"{report.root} is fsync itself: there is nothing to do")
        return
    say(f"{report.project} in {report.root}")
    for step in report.steps:
        verb = "would add" if dry_run and step.state == "added" else step.state
        say(f"  {verb:<9}  {step.path:<18}  {step.note}")
        _tell_addition(step)
    say()
    say(_NEXT)


def _tell_addition(step: Step) -> None:
    for line in (step.add or "").splitlines():
        say(f"  {'':<9}    {line}")
