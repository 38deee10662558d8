"""One module an engine: how it spells what the logical trees say. A second engine is a second module.

An engine module has `NAME` (dbt's adapter type) and `render(tree)`.
"""

from __future__ import annotations

from types import ModuleType
from typing import Final

from fsync.sql.engines import duckdb

ENGINES: Final[tuple[ModuleType, ...]] = (duckdb,)
