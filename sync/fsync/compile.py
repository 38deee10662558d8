"""Specs to dbt files: the first half of the road, from reading to writing."""

from __future__ import annotations

from dataclasses import dataclass

from fsync.check import advise, check
from fsync.errors import InputError, OutOfDate, SpecErrors
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
    #: what is allowed but hardly meant, in reading order
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
    """Write what the specs compile to; with `dry_run`, only say what would change."""
    catalog = checked_catalog(project)
    plan = make_plan(catalog)
    files = compiled_files(plan, project)
    difference = compare(files, project) if dry_run else write(files, project)
    return CompileReport(plan, difference, in_reading_order(advise(catalog)))


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
