"""The benchmarks run, and both of their sides give the same table. What they measure at this size means nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT

SMALLEST = {
    "full_build": ("--rows", "2000"),
    "hot_key": ("--rows", "2000"),
    "incremental": ("--rows", "2000", "--spread", "skewed"),
    "compile": ("--features", "40"),
    "governance": ("--features", "40"),
    "push": ("--entities", "2000", "--without-feast"),
    "read": ("--entities", "500", "--without-feast"),
    "train": ("--labels", "1000", "--without-feast"),
    "watch": ("--features", "20"),
    "drift": ("--pairs", "300"),
}


@pytest.mark.parametrize("name", SMALLEST)
def test_benchmark_runs(name: str) -> None:
    path = os.pathsep.join(str(ROOT / folder) for folder in ("sync", "cli"))
    ended = subprocess.run(
        [sys.executable, ROOT / "bench" / f"{name}.py", *SMALLEST[name], "--repeat", "1"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert ended.returncode == 0, ended.stderr
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    assert lines
    for line in lines:
        assert line["bench"] == name
        assert line.keys() >= {"measure", "value", "unit", "target", "ok", "versions"}


def test_every_benchmark_is_run_here() -> None:
    shared = {"measure", "warehouse", "online", "peer", "feast_side", "feast_training"}
    assert {path.stem for path in (ROOT / "bench").glob("*.py")} - shared == SMALLEST.keys()
