"""fsync: a SQL-native feature warehouse.

What a model service needs is here; the command line is the way to everything else.
"""

from __future__ import annotations

from fsync.errors import FsyncError, InputError, OutOfReach
from fsync.read import AsyncReader, Batch, Layer, Reader, Reading, Status, read

__all__ = [
    "AsyncReader",
    "Batch",
    "FsyncError",
    "InputError",
    "Layer",
    "OutOfReach",
    "Reader",
    "Reading",
    "Status",
    "read",
]

__version__ = "0.1.0"
