"""The reference warehouse in a scratch folder: from nothing to a served value."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
from sqlglot import exp

from fsync.build import BuildReport, build_project
from fsync.dbt import Progress
from fsync.errors import InputError
from fsync.instant import to_milliseconds
from fsync.plan import View
from fsync.push import PushReport, push_project
from fsync.read import Reader, Reading
from fsync.root import find_reference
from fsync.spec.project import open_project
from fsync.sql.instants import timestamp
from fsync.store import default_url
from fsync.warehouse.profile import read_profile

#: The data ends on 1998-06-30: the instant at which all of it is known.
AS_OF: Final = to_milliseconds("1998-07-01")
#: A customer with a purchase in the last month, many before, and two on one day.
CUSTOMER: Final = 7592

_PARTS: Final = ("feature_specs", "models", "macros", "dbt_project", "dbt_project.yml", "profiles.yml")


@dataclass(frozen=True)
class Comparison:
    """One view's values of one customer, online and offline, as of the same instant."""

    reading: Reading
    sql: str
    offline: Mapping[str, object]

    @property
    def agrees(self) -> bool:
        return dict(self.reading.values) == dict(self.offline)


@dataclass(frozen=True)
class DemoReport:
    """What the demo did, step by step."""

    folder: Path
    store: str
    build: BuildReport
    pushes: tuple[PushReport, ...]
    comparisons: tuple[Comparison, ...]


def run_demo(folder: Path, *, progress: Progress | None = None) -> DemoReport:
    """Copy the reference warehouse into an empty or new folder, build it, push it, and read one customer.

    Raises:
        InputError: when `folder` has something in it already.
    """
    try:
        if folder.exists() and any(folder.iterdir()):
            raise InputError(f"{folder} is not empty", "name a new folder, or leave --dir away")
        _copy_reference(folder)
    except OSError as error:
        raise InputError(f"{folder} cannot be used: {error.strerror}", "name a new folder") from error
    project = open_project(folder)
    build = build_project(project, progress=progress)
    url = default_url(project.root)
    reports = tuple(push_project(project, [url], as_of=AS_OF))
    pushes = tuple(report for report in reports if isinstance(report, PushReport))
    path = read_profile(project).path
    with Reader(url) as reader:
        comparisons = tuple(_compare(view, reader, path) for view in build.compiled.plan.views)
    return DemoReport(folder, url, build, pushes, comparisons)


def _copy_reference(folder: Path) -> None:
    root = find_reference()
    folder.mkdir(parents=True, exist_ok=True)
    for part in _PARTS:
        if (root / part).is_dir():
            shutil.copytree(root / part, folder / part)
        else:
            shutil.copy(root / part, folder / part)


def _compare(view: View, reader: Reader, path: Path) -> Comparison:
    reading = reader.read(view.name, CUSTOMER, at=AS_OF)
    sql = as_of_query(view, CUSTOMER, AS_OF)
    with duckdb.connect(str(path), read_only=True) as connection:
        row = connection.execute(sql).fetchone()
        names = [column[0] for column in connection.description]
    offline = dict(zip(names, row or (), strict=False))
    return Comparison(reading, sql, offline)


def as_of_query(view: View, key: int, at: int) -> str:
    """The SQL that reads one entity from a validity table as of an instant."""
    instant = timestamp(at)
    query = (
        exp.select(*(planned.name for planned in view.features))
        .from_(view.name)
        .where(
            exp.column(view.entity[0].name).eq(key),
            exp.LT(this=exp.column("valid_from"), expression=instant),
            exp.LTE(this=instant.copy(), expression=exp.column("valid_to")),
        )
    )
    return query.sql(dialect="duckdb", pretty=True)
