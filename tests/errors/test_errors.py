"""Each folder is a fault, named after its code: a spec, and the exact text that a person reads.

*.yml          specs, put into feature_specs/ (staging.yml is dbt's YAML instead of the reference one's)
expected.txt   what `fsync compile` says on stderr (`pytest --bless` rewrites it: read it then)
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Ended, project_of_specs

HERE = Path(__file__).parent
CASES = sorted(
    folder.name for folder in HERE.iterdir() if (folder / "expected.txt").is_file() or any(folder.glob("*.yml"))
)


@pytest.mark.parametrize("case", CASES)
def test_a_fault_is_told_as_expected(case: str, tmp_path: Path, fsync: Callable[..., Ended], bless: bool) -> None:
    project = project_of_specs(tmp_path, HERE / case)
    ended = fsync("compile", "--project-dir", project)
    expected = HERE / case / "expected.txt"
    if bless:
        expected.write_text(ended.err)
    assert ended.err == expected.read_text()
    assert (ended.code, ended.out) == (2, "")
    assert f"error[{case.split('.')[0]}]" in ended.err
    assert not (project / "models" / "features").exists(), "nothing is written from specs with faults"
