"""A report as one HTML page, which asks for nothing from elsewhere."""

from __future__ import annotations

from importlib.resources import files

from jinja2 import Environment, StrictUndefined

from fsync.instant import to_text
from fsync.language.duration import Duration
from fsync.report import Report


def report_html(report: Report, project: str) -> str:
    """The page of a report. Every text is escaped."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"percent": _percent, "duration": lambda of: str(Duration(of)), "instant": to_text}
    template = environment.from_string(files("fsync.report").joinpath("report.html.j2").read_text(encoding="utf-8"))
    return template.render(report=report, project=project)


def _percent(share: float | None) -> str:
    return "unknown" if share is None else f"{share:.1%}"
