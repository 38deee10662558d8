"""Issues for the programs that show them beside the code: SARIF, and the annotations of GitHub Actions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fsync import __version__
from fsync.spec.issue import Issue


def sarif(issues: Iterable[Issue]) -> dict[str, Any]:
    """A SARIF 2.1.0 log of one run."""
    found = list(issues)
    rules = sorted({issue.code for issue in found})
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {"name": "fsync", "version": __version__, "rules": [{"id": code} for code in rules]}
                },
                "results": [_result(issue) for issue in found],
            }
        ],
    }


def _result(issue: Issue) -> dict[str, Any]:
    place = issue.place
    region = {"startLine": place.line, "startColumn": place.column, "endColumn": place.column + max(1, place.width)}
    return {
        "ruleId": issue.code,
        "level": issue.severity,
        "message": {"text": _text(issue)},
        "locations": [
            {"physicalLocation": {"artifactLocation": {"uri": place.file}, "region": region}},
        ],
    }


def github(issue: Issue) -> str:
    """A workflow command that makes GitHub show an issue beside its line."""
    place = issue.place
    where = f"file={_property(place.file)},line={place.line},col={place.column},title={_property(issue.code)}"
    return f"::{issue.severity} {where}::{_escaped(_text(issue))}"


def _text(issue: Issue) -> str:
    return "\n".join([issue.message, *issue.notes])


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")
