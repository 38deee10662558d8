"""The views of spec.yml, compiled once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fsync.compile import compile_project, plan_project
from fsync.dbt import run_dbt
from fsync.plan import Plan, View
from fsync.spec.project import open_project
from tests.conftest import BARE, copy_reference

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def property_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of spec.yml and service.yml, its models rendered by dbt."""
    root = copy_reference(tmp_path_factory.mktemp("property"), BARE)
    for name, folder in (
        ("spec.yml", "feature_specs"),
        ("service.yml", "feature_specs/services"),
        ("source.yml", "models"),
    ):
        (root / folder).mkdir()
        shutil.copy(HERE / name, root / folder / name)
    project = open_project(root)
    compile_project(project)
    run_dbt(project, ["compile"])
    return root


@pytest.fixture(scope="session")
def property_plan(property_root: Path) -> Plan:
    return plan_project(open_project(property_root))


@pytest.fixture(scope="session")
def compiled(property_root: Path, property_plan: Plan) -> dict[str, tuple[View, str]]:
    """The views, and their models' SQL as dbt renders it."""
    models = property_root / "target/compiled/fsync/models/features"
    return {view.name: (view, (models / f"{view.name}.sql").read_text()) for view in property_plan.views}
