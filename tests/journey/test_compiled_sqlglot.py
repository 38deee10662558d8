"""The SQL is the same with sqlglot's compiled modules (`sqlglotc`), which any other package may bring along."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import sqlglot

from tests.conftest import ROOT, copy_reference, settings

GOLDEN = ROOT / "tests" / "golden"


@pytest.fixture(scope="module")
def compiled_sqlglot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with this very sqlglot and its compiled modules laid over it."""
    folder = tmp_path_factory.mktemp("sqlglotc")
    shutil.copytree(Path(sqlglot.__file__).parent, folder / "sqlglot", ignore=shutil.ignore_patterns("*.so"))
    wanted = f"sqlglotc=={importlib.metadata.version('sqlglot')}"
    options = ["--quiet", "--no-deps", "--only-binary", ":all:", "--target", str(folder / "wheel"), wanted]
    done = subprocess.run([sys.executable, "-m", "pip", "install", *options], capture_output=True, text=True)
    if done.returncode != 0:
        why = f"{wanted} cannot be installed here: {done.stderr.strip().splitlines()[-1:]}"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(why)
    for module in (folder / "wheel").rglob("*.so"):
        target = folder / module.relative_to(folder / "wheel")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(module, target)
    return folder


def test_the_reference_and_every_golden_case_compile_to_the_same_files(compiled_sqlglot: Path, tmp_path: Path) -> None:
    project = copy_reference(tmp_path / "project")
    (project / "dbt_project.yml").write_text(settings())
    for case in sorted(path.parent for path in GOLDEN.glob("*/spec.yml")):
        shutil.copy(case / "spec.yml", project / "feature_specs" / f"{case.name}.yml")
        shutil.copy(case / "source.yml", project / "models" / f"{case.name}.yml")
    plain = _compile(project, {})
    compiled = _compile(project, {"PYTHONPATH": str(compiled_sqlglot)})
    assert len(plain) > 10
    assert compiled == plain


def _compile(project: Path, environment: dict[str, str]) -> dict[str, str]:
    """File → text after `fsync compile` in a process of its own; where sqlglot was loaded from is checked there."""
    shutil.rmtree(project / "models" / "features")
    program = (
        "import sys, sqlglot.generator as g; from fsync_cli.main import run;"
        f"assert g.__file__.endswith('.so') == {bool(environment)}, g.__file__;"
        f"sys.exit(run(['compile', '--project-dir', {str(project)!r}]))"
    )
    # what is installed is not compiled; where it is, the run without PYTHONPATH says so
    subprocess.run([sys.executable, "-c", program], env={**os.environ, **environment}, check=True)
    folders = (project / "models" / "features", project / "macros" / "transformations")
    return {path.name: path.read_text() for folder in folders for path in folder.rglob("*") if path.is_file()}
