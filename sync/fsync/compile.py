"""Specs to dbt files: the first half of the road, from reading to writing."""

from __future__ import annotations

from dataclasses import dataclass

from fsync.check import check
from fsync.check.governance import govern
from fsync.errors import GovernanceErrors, InputError, OutOfDate, SpecErrors
from fsync.files import Difference, compare, compiled_files, write
from fsync.plan import Plan, make_plan
from fsync.spec.catalog import Catalog, load_catalog
from fsync.spec.issue import Issue, in_reading_order
from fsync.spec.project import SPECS, Project


@dataclass(frozen=True)
class CompileReport:
    """What came of the specs."""

    plan: Plan
    difference: Difference
    #: what the team's checks warn of, in reading order
    warnings: tuple[Issue, ...]

    @property
    def features(self) -> int:
        return sum(len(view.features) for view in self.plan.views)


def plan_project(project: Project) -> Plan:
    """Read, check and plan the project's specs.

    Raises:
        SpecErrors, InputError: see `checked_catalog`.
    """
    return make_plan(checked_catalog(project))


def checked_catalog(project: Project) -> Catalog:
    """Read and check the project's specs.

    Raises:
        SpecErrors: every fault of the specs at once.
        InputError: when there is no spec at all.
    """
    catalog, faults = load_catalog(project)
    issues = in_reading_order((*faults, *check(catalog)))
    if issues:
        raise SpecErrors(issues)
    if not catalog.features:
        raise InputError(
            f"there is no feature spec in {project.specs}",
            f"a feature is a YAML file in {SPECS}/, with name, entity, source, transformation and owner",
        )
    return catalog


def compile_project(project: Project, *, dry_run: bool = False) -> CompileReport:
    """Write what the specs compile to; with `dry_run`, only say what would change.

    Raises:
        GovernanceErrors: before anything is written.
        SpecErrors, InputError: see `checked_catalog`.
    """
    catalog = checked_catalog(project)
    found = in_reading_order(govern(catalog))
    errors = tuple(issue for issue in found if issue.severity == "error")
    if errors:
        raise GovernanceErrors(errors)
    plan = make_plan(catalog)
    files = compiled_files(plan, project)
    difference = compare(files, project) if dry_run else write(files, project)
    return CompileReport(plan, difference, found)


@dataclass(frozen=True)
class CheckReport:
    """What is to be said of the specs, in reading order.

    `faults` keep them from compiling; only if there are none, `findings` are what the team's checks have found.
    """

    features: int
    services: int
    faults: tuple[Issue, ...]
    findings: tuple[Issue, ...]

    @property
    def errors(self) -> tuple[Issue, ...]:
        return (*self.faults, *(issue for issue in self.findings if issue.severity == "error"))


def check_project(project: Project) -> CheckReport:
    """Read the specs and run every check on them; raises nothing for what they say."""
    catalog, faults = load_catalog(project)
    faults = in_reading_order((*faults, *check(catalog)))
    findings = () if faults else in_reading_order(govern(catalog))
    return CheckReport(len(catalog.features), len(catalog.services), faults, findings)


def check_compiled(project: Project) -> CompileReport:
    """Hold the files on disk against what the specs compile to.

    Raises:
        OutOfDate: when they differ.
    """
    report = compile_project(project, dry_run=True)
    paths = report.difference.paths
    if paths:
        raise OutOfDate("these files are not what the specs compile to", paths, "run `fsync compile`")
    return report
