"""Feast, the peer, in an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any, Final

#: the version that the claims are about
REQUIREMENT: Final = "feast[redis,duckdb]==0.67.*"


def environment() -> Path:
    """A Python that has Feast: made on first use, in the cache folder of the user."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fsync-bench" / "feast-0.67"
    python = folder / "bin/python"
    complete = folder / "complete"
    if not complete.exists() or complete.read_text() != REQUIREMENT:
        print(f"installing {REQUIREMENT} into {folder}", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", REQUIREMENT], check=True)
        complete.write_text(REQUIREMENT)
    return python


def run(script: str, *arguments: object) -> dict[str, Any]:
    """The JSON that a script of this folder prints, run by Feast's Python."""
    command = [environment(), Path(__file__).parent / script, *arguments]
    done = subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE, text=True)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer
