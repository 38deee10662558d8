"""`fsync demo`"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from fsync.errors import CheckFailed
from fsync.instant import to_text
from fsync_cli.console import emit, progress_bar, say, shown, table


def demo(
    folder: Annotated[
        Path | None,
        typer.Option("--dir", envvar="FSYNC_DEMO_DIR", help="Where to put it.", show_default="a new scratch folder"),
    ] = None,
) -> None:
    """See it work: 69,659 real purchases, from specs to a served value."""
    import tempfile

    from fsync.demo import AS_OF, CUSTOMER, run_demo
    from fsync_cli.build import tell

    folder = folder or Path(tempfile.mkdtemp(prefix="fsync-demo-"))
    say(f"the reference warehouse, 69,659 purchases of 1997 and 1998, in {folder}\n")
    with progress_bar("dbt build") as progress:
        report = run_demo(folder, progress=progress)
    compiled = report.build.compiled
    say(f"compiled {compiled.features} feature specs into {len(compiled.plan.views)} dbt models")
    tell(report.build)
    for pushed in report.pushes:
        say(f"pushed {pushed.view} as of {to_text(pushed.as_of)}: {pushed.written:,} keys")
    say(f"to {report.store}\n")
    emit(f"customer {CUSTOMER} as of {to_text(AS_OF)}, online and offline:\n")
    rows = [
        [name, shown(value), comparison.reading.status[name].value, shown(comparison.offline.get(name))]
        for comparison in report.comparisons
        for name, value in comparison.reading.values.items()
    ]
    emit(table(["feature", "online", "status", "offline"], rows))
    emit("\nthe offline values came from this SQL, for dbt, DuckDB or any other client:\n")
    for comparison in report.comparisons:
        emit(f"{comparison.sql};\n")
    if not all(comparison.agrees for comparison in report.comparisons):
        raise CheckFailed("online and offline do not agree")
    again = [sys.argv[0], "get", "user_lifetime", "42", "--at", "1998-07-01", "--project-dir", str(folder)]
    say(f"go on with: {shlex.join(again)}")
