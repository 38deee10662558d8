"""fsync: a SQL-native feature warehouse.

What a model service needs is here, and `train` for who trains the model; the command line is the way to everything
else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fsync.errors import FsyncError, InputError, OutOfReach
from fsync.read import AsyncReader, Batch, Layer, Reader, Reading, Status, read

if TYPE_CHECKING:
    from fsync.training import train

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
    "train",
]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # a model service loads no warehouse
    if name == "train":
        from fsync.training import train

        return train
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
