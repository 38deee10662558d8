"""fsync: a SQL-native feature warehouse.

What a model service needs is here; the command line is the way to everything else.
"""

from __future__ import annotations

from fsync.errors import FsyncError, InputError, OutOfReach
from fsync.read import Reader, Reading, Status, read

__all__ = ["FsyncError", "InputError", "OutOfReach", "Reader", "Reading", "Status", "read"]

__version__ = "0.1.0"
