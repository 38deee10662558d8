"""What a model was trained on: a dbt model, or a file of the project."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

_READERS: Final = {".parquet": "read_parquet", ".csv": "read_csv"}


@dataclass(frozen=True)
class TrainingSet:
    """The name of a dbt model; or the path of a .parquet or .csv file, as `fsync train` writes, below the project."""

    text: str

    @property
    def is_file(self) -> bool:
        return self._suffix in _READERS

    @property
    def _suffix(self) -> str:
        return Path(self.text).suffix.lower()

    @property
    def jinja(self) -> str:
        """A model as dbt's Jinja names it."""
        return f"ref('{self.text}')"

    def relation(self, root: Path) -> str:
        """A file as a relation in SQL."""
        return f"{_READERS[self._suffix]}('{str(root / self.text).replace(chr(39), chr(39) * 2)}')"
