"""`fsync doctor`"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from fsync_cli.console import emit, emit_json, say
from fsync_cli.options import Json, Online, ProjectDir, Target

if TYPE_CHECKING:
    from fsync.doctor import DoctorReport


def doctor(
    target: Target = None,
    online: Online = None,
    project_dir: ProjectDir = Path(),
    json: Json = False,
) -> None:
    """Find what keeps fsync from working, and say how to mend it. Nothing is changed.

    The exit code is 1 when something is broken.
    """
    from fsync.doctor import Scene, examine

    report = examine(Scene(project_dir, target, online))
    if json:
        findings = [asdict(finding) for finding in report.findings]
        emit_json({"findings": findings, "broken": report.count("broken"), "doubtful": report.count("doubtful")})
    else:
        _tell(report)
    if report.count("broken"):
        raise typer.Exit(1)


def _tell(report: DoctorReport) -> None:
    for finding in report.findings:
        emit(f"{finding.state:<8}  {finding.what:<12}  {finding.message}")
        if finding.mend is not None:
            emit(f"{'':<24}= {finding.mend}")
    say(f"{report.count('broken')} broken, {report.count('doubtful')} doubtful")
