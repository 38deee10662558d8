"""Each folder is a fault, named after its code: a spec, and the exact text that a person reads.

*.yml          specs, put into feature_specs/ (staging.yml is dbt's YAML instead of the reference one's)
expected.txt   what `fsync compile` says on stderr (`pytest --bless` rewrites it: read it then)
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT, Ended

HERE = Path(__file__).parent
CASES = sorted(
    folder.name for folder in HERE.iterdir() if (folder / "expected.txt").is_file() or any(folder.glob("*.yml"))
)


@pytest.mark.parametrize("case", CASES)
def test_a_fault_is_told_as_expected(case: str, tmp_path: Path, fsync: Callable[..., Ended], bless: bool) -> None:
    (tmp_path / "feature_specs").mkdir()
    (tmp_path / "models").mkdir()
    shutil.copy(ROOT / "dbt_project.yml", tmp_path)
    shutil.copy(ROOT / "models/staging/_staging.yml", tmp_path / "models/staging.yml")
    for path in sorted((HERE / case).glob("*.yml")):
        shutil.copy(path, tmp_path / ("models" if path.name == "staging.yml" else "feature_specs"))
    ended = fsync("compile", "--project-dir", tmp_path)
    expected = HERE / case / "expected.txt"
    if bless:
        expected.write_text(ended.err)
    assert ended.err == expected.read_text()
    assert (ended.code, ended.out) == (2, "")
    assert f"error[{case.split('.')[0]}]" in ended.err
    assert not (tmp_path / "models" / "features").exists(), "nothing is written from specs with faults"
