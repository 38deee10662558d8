"""What keeps fsync from working, and how to mend it. Nothing is changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fsync.doctor.finding import Examination, Finding, Scene, State
from fsync.doctor.libraries import libraries
from fsync.doctor.online import online
from fsync.doctor.package import package
from fsync.doctor.profile import profile
from fsync.doctor.project import project
from fsync.doctor.specs import specs, tables
from fsync.doctor.warehouse import warehouse

__all__ = ["EXAMINATIONS", "DoctorReport", "Finding", "Scene", "State", "examine"]

#: in the order in which a person would mend what they find
EXAMINATIONS: Final = (
    Examination("libraries", libraries),
    Examination("project", project),
    Examination("package", package),
    Examination("profile", profile),
    Examination("specs", specs),
    Examination("warehouse", warehouse),
    Examination("tables", tables),
    Examination("online store", online),
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
