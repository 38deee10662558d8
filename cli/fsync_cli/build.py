"""`fsync build`"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fsync_cli.console import emit_json, issue_json, progress_bar, say, table, warned
from fsync_cli.options import Json, ProjectDir, Target

if TYPE_CHECKING:
    from fsync.build import BuildReport


def build(
    full_refresh: Annotated[
        bool, typer.Option("--full-refresh", envvar="FSYNC_FULL_REFRESH", help="Build every table anew.")
    ] = False,
    target: Target = None,
    project_dir: ProjectDir = Path(),
    json: Json = False,
) -> None:
    """Compile, and let dbt build and test the feature tables."""
    from fsync.build import build_project
    from fsync.spec.project import open_project

    project = open_project(project_dir)
    with progress_bar("dbt build") as progress:
        report = build_project(project, target=target, full_refresh=full_refresh, progress=progress)
    if json:
        emit_json(
            {
                "views": [asdict(view) for view in report.views],
                "models": report.dbt.count("model"),
                "tests": report.dbt.count("test"),
                "seconds": round(report.dbt.seconds, 3),
                "warnings": [issue_json(warning) for warning in report.compiled.warnings],
            }
        )
    else:
        tell(report)


def tell(report: BuildReport) -> None:
    """The short report of a build."""
    rows = [
        [
            view.view,
            view.hash,
            "what changed" if view.is_incremental else "anew",
            f"{view.events:,}",
            f"{view.rows:,}",
            f"{view.entities:,}",
        ]
        for view in report.views
    ]
    say(table(["view", "version", "built", "events", "rows", "entities"], rows))
    for view in report.views:
        if view.without_entity or view.without_time:
            say(
                f"{view.view} left out {view.without_entity:,} events without an entity "
                f"and {view.without_time:,} without a time"
            )
    failed = report.dbt.count("test", status=("warn",))
    with_warnings = f", {failed} with warnings" if failed else ""
    say(
        f"dbt built {report.dbt.count('model')} models and passed {report.dbt.count('test')} tests"
        f"{with_warnings} "
        f"in {report.dbt.seconds:.1f} s{warned(report.compiled.warnings)}"
    )
