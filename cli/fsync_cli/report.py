"""`fsync report`"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fsync.errors import InputError
from fsync.instant import now, to_text
from fsync_cli.console import counted, emit, say, table
from fsync_cli.options import Json, ProjectDir, Target, duration, instant

if TYPE_CHECKING:
    from fsync.report import Report


class Format(StrEnum):
    """How a report is written."""

    TEXT = "text"
    JSON = "json"
    HTML = "html"


def report(
    period: Annotated[
        str,
        typer.Option(
            "--period", envvar="FSYNC_REPORT_PERIOD", metavar="DURATION", help="How far back freshness is looked at."
        ),
    ] = "30d",
    until: Annotated[
        str | None,
        typer.Option(
            "--until", envvar="FSYNC_REPORT_UNTIL", metavar="TIME", help="The end of the period.", show_default="now"
        ),
    ] = None,
    format_: Annotated[
        Format,
        typer.Option("--format", envvar="FSYNC_REPORT_FORMAT", help="For people, for programs, or a page."),
    ] = Format.TEXT,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", envvar="FSYNC_REPORT_OUTPUT", help="A file.", show_default="stdout")
    ] = None,
    target: Target = None,
    project_dir: ProjectDir = Path(),
    json: Json = False,
) -> None:
    """Report how well the team does: features reused and doubled, and whether freshness is kept.

    The share of models' features that come from here, pipelines that were built once instead of twice, and for each
    owner how much of the time values were as fresh as is promised.
    """
    from fsync.compile import checked_catalog
    from fsync.deployed import built
    from fsync.plan import make_plan
    from fsync.report import report as make
    from fsync.spec.exposure import load_exposures
    from fsync.spec.project import open_project

    project = open_project(project_dir)
    given = instant(until)
    end = now() if given is None else given
    catalog = checked_catalog(project)
    stands = built(project, target)
    found = make(
        catalog,
        make_plan(catalog),
        load_exposures(project),
        stands,
        end - duration(period, "--period").milliseconds,
        end,
    )
    text = _written(found, project.name, Format.JSON if json else format_)
    if output is None:
        emit(text)
    else:
        try:
            output.write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            raise InputError(f"{output} cannot be written: {error.strerror}") from error
        say(f"wrote {output}")
    if found.problem is not None:
        say(f"not looked at: {found.problem}")


def _written(found: Report, project: str, format_: Format) -> str:
    if format_ is Format.JSON:
        import json

        return json.dumps(_plain(found), ensure_ascii=False)
    if format_ is Format.HTML:
        from fsync.report.html import report_html

        return report_html(found, project).rstrip()
    return "\n".join(_lines(found))


def _plain(found: Report) -> dict[str, Any]:
    plain = asdict(found)
    return {
        **plain,
        "since": to_text(found.since),
        "until": to_text(found.until),
        "coverage": found.coverage,
        "models": [{**asdict(model), "share": model.share} for model in found.models],
        "owners": [{**asdict(owner), "share": owner.share} for owner in found.owners],
    }


def _lines(found: Report) -> Iterator[str]:
    yield f"{_percent(found.coverage)} of models' features come from here"
    rows = [
        [
            model.model,
            model.owner,
            str(model.features) if model.is_told else "says nothing",
            str(model.external) if model.is_told else "",
            _percent(model.share) if model.is_told else "",
        ]
        for model in found.models
    ]
    if rows:
        yield table(["model", "owner", "from here", "elsewhere", "share"], rows)
    for model in found.models:
        if model.unknown:
            yield f"{model.model} names features that no spec defines: {', '.join(model.unknown)}"
    doubled = counted(len(found.duplicates), "duplicate")
    yield f"{counted(found.avoided, 'pipeline')} not built twice; {doubled} to remove"
    for later, first in found.duplicates:
        yield f"  {later} means the same as {first}"
    yield f"freshness from {to_text(found.since)} until {to_text(found.until)}, by builds"
    owners = [
        [owner.owner, _percent(owner.share), str(len(owner.features)), str(owner.without), _worst(owner.features)]
        for owner in found.owners
    ]
    yield table(["owner", "kept", "features", "without promise", "worst"], owners)


def _worst(features: Any) -> str:
    known = [feature for feature in features if feature.share is not None and feature.share < 1]
    worst = min(known, key=lambda feature: (feature.share, feature.feature), default=None)
    return "" if worst is None else f"{worst.feature} {_percent(worst.share)}"


def _percent(share: float | None) -> str:
    return "unknown" if share is None else f"{share:.1%}"
