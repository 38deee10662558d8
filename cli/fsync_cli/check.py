"""`fsync check`"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fsync_cli.annotations import github, sarif
from fsync_cli.console import counted, emit, emit_json, issue_json, say
from fsync_cli.options import Json, ProjectDir

if TYPE_CHECKING:
    from fsync.compile import CheckReport


class Format(StrEnum):
    """How findings are written."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"


def check(
    format_: Annotated[
        Format,
        typer.Option("--format", envvar="FSYNC_CHECK_FORMAT", help="For people, for programs, or for code review."),
    ] = Format.TEXT,
    strict: Annotated[
        bool, typer.Option("--strict", envvar="FSYNC_CHECK_STRICT", help="Exit with 1 for a warning too.")
    ] = False,
    project_dir: ProjectDir = Path(),
    json: Json = False,
) -> None:
    """Check the specs: that they compile, and that they are as the team wants them (vars.fsync in dbt_project.yml).

    The exit code is 2 for specs that do not compile, 1 for an error of the team's checks.
    """
    from fsync.compile import check_project
    from fsync.spec.project import open_project

    report = check_project(open_project(project_dir))
    issues = (*report.faults, *report.findings)
    if json or format_ is Format.JSON:
        emit_json(
            {
                "features": report.features,
                "services": report.services,
                "issues": [{**issue_json(issue), "severity": issue.severity} for issue in issues],
            }
        )
    elif format_ is Format.SARIF:
        emit_json(sarif(issues))
    elif format_ is Format.GITHUB:
        for issue in issues:
            emit(github(issue))
    else:
        _tell(report)
    if report.faults:
        raise typer.Exit(2)
    if report.errors or (strict and report.findings):
        raise typer.Exit(1)


def _tell(report: CheckReport) -> None:
    for issue in (*report.faults, *report.findings):
        emit(f"{issue}\n")
    errors = len(report.errors)
    warnings = len(report.findings) - errors + len(report.faults)
    specs = f"{counted(report.features, 'feature')} and {counted(report.services, 'service')}"
    say(f"{specs}: {counted(errors, 'error')}, {counted(warnings, 'warning')}")
