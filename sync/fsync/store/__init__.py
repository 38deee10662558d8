"""Online stores, by URL."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from fsync.errors import InputError
from fsync.store.base import Store

__all__ = ["DEFAULT_FILE", "Store", "default_url", "open_store"]

#: the embedded store of a project, in its root
DEFAULT_FILE: Final = "online.sqlite"

_REDIS: Final = ("redis://", "rediss://", "unix://")
_SQLITE: Final = "sqlite:///"


def default_url(root: Path) -> str:
    """The embedded store of the project at `root`."""
    return f"{_SQLITE}{root / DEFAULT_FILE}"


def open_store(url: str) -> Store:
    """Open the store that a URL names.

    Args:
        url: `redis://host:6379/0`, `rediss://…` (TLS), `unix://…` (a socket), with user and password
            where they are needed; or `sqlite:///relative/path`, `sqlite:////absolute/path`.

    Raises:
        InputError: for a URL of another form.
    """
    if url.startswith(_REDIS):
        from fsync.store.redis import RedisStore  # loads redis-py, which an embedded store does not need

        return RedisStore.from_url(url)
    if url.startswith(_SQLITE) and len(url) > len(_SQLITE):
        from fsync.store.sqlite import SqliteStore

        return SqliteStore(Path(url[len(_SQLITE) :]))
    scheme = url.partition("://")[0] if "://" in url else "none"
    raise InputError(
        f"the online store's URL has the scheme {scheme!r}, which is not known",
        "write redis://host:6379/0, rediss://…, unix:///path/to/socket or sqlite:///path/to/file",
    )
