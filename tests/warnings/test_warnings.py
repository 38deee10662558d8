"""Each folder is a warning, named after its code: specs, and the exact text that a person reads.

*.yml          specs, put into feature_specs/
expected.txt   what `fsync compile` says on stderr (`pytest --bless` rewrites it: read it then)
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Ended, project_of_specs

HERE = Path(__file__).parent
CASES = sorted(folder.name for folder in HERE.iterdir() if any(folder.glob("*.yml")))


@pytest.mark.parametrize("case", CASES)
def test_a_warning_is_told_as_expected(case: str, tmp_path: Path, fsync: Callable[..., Ended], bless: bool) -> None:
    project = project_of_specs(tmp_path, HERE / case)
    ended = fsync("compile", "--dry-run", "--project-dir", project)
    expected = HERE / case / "expected.txt"
    if bless:
        expected.write_text(ended.err)
    assert ended.err == expected.read_text()
    assert (ended.code, ended.out) == (0, "")
    assert f"warning[{case.split('.')[0]}]" in ended.err


def test_specs_with_warnings_compile(tmp_path: Path, fsync: Callable[..., Ended]) -> None:
    project = project_of_specs(tmp_path, HERE / "duplicate-feature")
    assert fsync("compile", "--project-dir", project).code == 0
    ended = fsync("compile", "--check", "--project-dir", project)
    assert ended.code == 0
    assert "warning[duplicate-feature]" in ended.err
    assert ended.err.endswith("; 1 warning\n")
