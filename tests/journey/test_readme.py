"""The README's first command, on a clean copy of the tree with nothing installed.

The second command is how these tests are run.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT

COMMANDS = re.findall(r"^```sh\n(.*)\n```$", (ROOT / "README.md").read_text(), re.MULTILINE)


def test_there_are_two_commands() -> None:
    assert len(COMMANDS) == 2
    assert COMMANDS[0].endswith(".venv/bin/fsync demo")
    assert COMMANDS[1].endswith(".venv/bin/pytest")


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that git has or would have, in a folder with a space."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip("this tree is no git checkout, so there is nothing to clone")
    folder = tmp_path_factory.mktemp("journey") / "a clean clone"
    for name in done.stdout.splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


def test_the_first_command_works_twice_from_a_path_with_a_space(clone: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("VIRTUAL_ENV", "PYTHON"))}
    for _ in range(2):
        done = subprocess.run(
            COMMANDS[0], cwd=clone, env=environment, shell=True, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        # by hand from the purchases of customer 7592: 23 after 1998-06-01 00:00, for 1,726.80 dollars
        assert re.search(r"^user_30d_purchase_count +23 +ok +23$", done.stdout, re.MULTILINE)
        assert re.search(r"^user_30d_spend +1726\.80 +ok +1726\.80$", done.stdout, re.MULTILINE)
        assert "69,659 purchases" in done.stderr
        assert "Traceback" not in done.stderr
