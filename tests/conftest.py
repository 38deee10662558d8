"""What tests share: Redis servers of their own, a copy of the reference warehouse, the command line."""

from __future__ import annotations

import gzip
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from fsync.check.governance import GOVERNANCE
from fsync_cli.main import run
from tests.servers import Server, redis_cluster, redis_server

ROOT = Path(__file__).parent.parent
REFERENCE = ("feature_specs", "models", "macros", "dbt_project", "dbt_project.yml", "profiles.yml")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--bless", action="store_true", help="rewrite golden files with what comes out now")


@pytest.fixture(scope="session")
def bless(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--bless"))


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests mean the same on every machine, whatever FSYNC_… or DBT_… its owner has set."""
    for name in [name for name in os.environ if name.startswith(("FSYNC_", "DBT_"))]:
        monkeypatch.delenv(name)


# ---------------------------------------------------------------- Redis


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Redis of this run's own; tests that share it have prefixes of their own."""
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server.url


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Server]]:
    """A real Redis Cluster of three nodes."""
    with redis_cluster(tmp_path_factory.mktemp("cluster")) as servers:
        yield servers


# ---------------------------------------------------------------- projects and the command line


#: a dbt project with the macros, without sources and specs
BARE = ("macros", "dbt_project.yml", "profiles.yml")


def copy_reference(folder: Path, parts: tuple[str, ...] = REFERENCE) -> Path:
    """The reference warehouse as it is committed, or parts of it, in a folder of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    for part in parts:
        source = ROOT / part
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / part)
    if "models" not in parts:
        (folder / "dbt_project.yml").write_text(settings())
    return folder


def settings(policy: dict[str, Any] | None = None) -> str:
    """The reference's dbt_project.yml with another policy; without one, that of a team which asks for nothing."""
    project = yaml.safe_load((ROOT / "dbt_project.yml").read_text())
    nothing = {"checks": {check.code: "off" for check in GOVERNANCE}}
    project["vars"] = {"fsync": nothing if policy is None else policy}
    return yaml.safe_dump(project, sort_keys=False)


def project_of_specs(folder: Path, case: Path) -> Path:
    """A project of a test case's specs and services; its staging.yml, or the reference one, says what they read.

    Its policy.yml is `vars.fsync`, its *.sql are models by hand.
    """
    (folder / "feature_specs").mkdir()
    (folder / "models").mkdir()
    policy = case / "policy.yml"
    (folder / "dbt_project.yml").write_text(settings(yaml.safe_load(policy.read_text()) if policy.is_file() else None))
    shutil.copy(ROOT / "models/staging/_staging.yml", folder / "models/staging.yml")
    for path in sorted(case.glob("*.yml")):
        if path != policy:
            shutil.copy(path, folder / ("models" if path.name == "staging.yml" else "feature_specs"))
    for path in sorted(case.glob("*.sql")):
        shutil.copy(path, folder / "models")
    if (case / "services").is_dir():
        shutil.copytree(case / "services", folder / "feature_specs/services")
    return folder


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reference warehouse with 2,000 of its customers, built once for all tests that only read it."""
    folder = copy_reference(tmp_path_factory.mktemp("the reference") / "warehouse")  # a path with a space
    orders = folder / "dbt_project/data/cdnow_orders.csv.gz"
    header, *rows = gzip.decompress(orders.read_bytes()).decode().splitlines(keepends=True)
    kept = [row for row in rows if int(row.split(",")[1]) <= 2_000]
    orders.write_bytes(gzip.compress("".join([header, *kept]).encode()))
    assert run(["build", "--project-dir", str(folder)]) == 0
    return folder


@dataclass(frozen=True)
class Ended:
    """What a call of the command line came to."""

    code: int
    out: str
    err: str


@pytest.fixture
def fsync(capfd: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Calls the command line in this process."""

    def call(*arguments: str | Path) -> Ended:
        capfd.readouterr()
        code = run([str(argument) for argument in arguments])
        sys.stdout.flush()
        captured = capfd.readouterr()
        return Ended(code, captured.out, captured.err)

    return call
