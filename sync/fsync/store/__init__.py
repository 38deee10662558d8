"""Online stores, by URL."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from fsync.errors import InputError
from fsync.store.base import AsyncStore, Store

__all__ = ["DEFAULT_FILE", "AsyncStore", "Store", "default_url", "open_async_store", "open_store", "public_url"]

#: the embedded store of a project, in its root
DEFAULT_FILE: Final = "online.sqlite"

_SQLITE: Final = "sqlite:///"
_REDIS: Final = ("redis", "rediss", "unix", "redis+cluster", "rediss+cluster", "redis+sentinel", "rediss+sentinel")


def public_url(url: str) -> str:
    """A store's URL without user, password and settings: what may be shown, and what a policy names."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme == "sqlite":
        return url
    where, mark, path = rest.partition("?")[0].partition("/")
    return f"{scheme}://{where.rpartition('@')[2]}{mark}{path}"


def default_url(root: Path) -> str:
    """The embedded store of the project at `root`."""
    return f"{_SQLITE}{root / DEFAULT_FILE}"


def open_store(url: str) -> Store:
    """Open the store that a URL names.

    Args:
        url: `redis://host:6379/0`, `rediss://…` (TLS), `unix://…` (a socket), `redis+cluster://host:6379`,
            `redis+sentinel://host:26379,host:26379/service/0` (both with `rediss+…` too), with user and password
            where they are needed, and redis-py's own settings behind a `?`; or `sqlite:///relative/path`,
            `sqlite:////absolute/path`.

    Raises:
        InputError: for a URL of another form.
    """
    if (path := _sqlite_path(url)) is not None:
        from fsync.store.sqlite import SqliteStore

        return SqliteStore(path)
    # loads redis-py, which an embedded store does not need
    from fsync.store.redis import RedisStore
    from fsync.store.urls import parse_address

    return RedisStore(parse_address(url))


def open_async_store(url: str) -> AsyncStore:
    """Open the store that a URL names, to read from it in an event loop; see `open_store`."""
    from fsync.store.awaited import AsyncRedisStore, ThreadedStore

    if _sqlite_path(url) is not None:
        return ThreadedStore(open_store(url))
    from fsync.store.urls import parse_address

    return AsyncRedisStore(parse_address(url))


def _sqlite_path(url: str) -> Path | None:
    """The file of a SQLite URL, None for a Redis URL; raises InputError for any other."""
    if url.startswith(_SQLITE) and len(url) > len(_SQLITE):
        return Path(url[len(_SQLITE) :])
    scheme = url.partition("://")[0] if "://" in url else "none"
    if scheme in _REDIS:
        return None
    raise InputError(
        f"a store's URL has the scheme {scheme!r}, which is not known"
        if "://" in url
        else "a store's URL has no scheme",
        "write redis://host:6379/0, rediss://…, redis+cluster://…, redis+sentinel://…, unix:///path/to/socket "
        "or sqlite:///path/to/file",
    )
