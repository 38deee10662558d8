"""What a model service or `fsync --help` loads, in an interpreter of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("duckdb", "sqlglot", "dbt", "pyarrow", "numpy", "pydantic", "scipy", "redis")


@pytest.mark.parametrize("statement", ["import fsync.read", "import fsync_cli.main"])
def test_no_heavy_library_is_loaded(statement: str) -> None:
    program = f"import sys; {statement}; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_reading_loads_what_it_needs_and_no_more() -> None:
    """Redis, once it is named as the store, and nothing that a push needs."""
    heavy = tuple(name for name in HEAVY if name != "redis")
    program = (
        "import sys; from fsync.read import Reader; Reader('redis://localhost'); "
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
