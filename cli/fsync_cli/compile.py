"""`fsync compile`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fsync_cli.console import counted, emit_json, issue_json, say, warned
from fsync_cli.options import DryRun, Json, ProjectDir


def compile_(
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            envvar="FSYNC_CHECK",
            help="Write nothing; exit with 1 when the files are not what the specs compile to.",
        ),
    ] = False,
    dry_run: DryRun = False,
    project_dir: ProjectDir = Path(),
    json: Json = False,
) -> None:
    """Write the dbt models and macros that the feature specs mean."""
    from fsync.compile import check_compiled, compile_project
    from fsync.spec.project import open_project

    project = open_project(project_dir)
    report = check_compiled(project) if check else compile_project(project, dry_run=dry_run)
    difference = report.difference
    if json:
        emit_json(
            {
                "features": report.features,
                "views": {view.name: view.hash for view in report.plan.views},
                "written": difference.written,
                "deleted": difference.deleted,
                "unchanged": difference.unchanged,
                "dry_run": dry_run or check,
                "warnings": [issue_json(warning) for warning in report.warnings],
            }
        )
        return
    for verb, paths in (("write", difference.written), ("delete", difference.deleted)):
        for path in paths:
            say(f"{'would ' if dry_run else ''}{verb} {path}")
    say(
        f"{report.features} features in {counted(len(report.plan.views), 'view')}; "
        f"{len(difference.paths)} files changed, {difference.unchanged} unchanged{warned(report.warnings)}"
    )
