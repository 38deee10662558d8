"""Where a dbt project begins, and where our own is. Apart from the rest of it, since a reader asks nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Final

PROJECT_FILE: Final = "dbt_project.yml"


def find_root(start: Path) -> Path | None:
    """The nearest folder at or above `start` that holds a dbt project."""
    return next((folder for folder in (start, *start.parents) if (folder / PROJECT_FILE).is_file()), None)


def find_reference() -> Path:
    """The folder of the reference warehouse and the macros: in an installation beside the package, else around it."""
    here = Path(__file__).parent
    installed = here / "reference"
    return installed if installed.is_dir() else here.parent.parent
