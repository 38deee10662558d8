"""What keeps fsync from working, and how to mend it. Nothing is changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fsync.doctor import libraries, online, package, profile, project, specs, tables, warehouse
from fsync.doctor.finding import Examination, Finding, Scene, State

__all__ = ["EXAMINATIONS", "DoctorReport", "Finding", "Scene", "State", "examine"]

#: in the order in which a person would mend what they find
EXAMINATIONS: Final = (
    Examination("libraries", libraries.look),
    Examination("project", project.look),
    Examination("package", package.look),
    Examination("profile", profile.look),
    Examination("specs", specs.look),
    Examination("warehouse", warehouse.look),
    Examination("tables", tables.look),
    Examination("online store", online.look),
)


@dataclass(frozen=True)
class DoctorReport:
    """Every finding, in the order of `EXAMINATIONS`: at least one of each."""

    findings: tuple[Finding, ...]

    def count(self, state: State) -> int:
        return sum(finding.state == state for finding in self.findings)


def examine(scene: Scene) -> DoctorReport:
    """Look at everything, whatever has been found before."""
    return DoctorReport(tuple(finding for examination in EXAMINATIONS for finding in examination.findings(scene)))
