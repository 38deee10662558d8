"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fsync.errors import InputError


@contextmanager
def whole(out: Path) -> Iterator[Path]:
    """A file beside `out` that becomes it at the end: until then, and after an error, what was there before stays.

    Raises:
        InputError: when it cannot be written; in a place where nothing can be, before anything is computed.
    """
    unfinished = out.with_name(f".{os.getpid()}.fsync")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        unfinished.touch()
        yield unfinished
        unfinished.replace(out)
    except OSError as error:
        raise InputError(f"{out} cannot be written: {error.strerror}") from error
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
