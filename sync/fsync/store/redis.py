"""Redis as the online store, through redis-py. No command newer than Redis 6.2."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast
from urllib.parse import urlsplit

import redis

from fsync.errors import InputError, StoreOutOfReach
from fsync.wire import view_of_key


class RedisStore:
    """See `Store`. The client's connection pool makes one object safe to share between threads."""

    def __init__(self, client: redis.Redis, name: str) -> None:
        self._client = client
        self._name = name

    @classmethod
    def from_url(cls, url: str) -> RedisStore:
        try:
            client = redis.Redis.from_url(url, socket_connect_timeout=5)
            parts = urlsplit(url)
            where = parts.path if parts.scheme == "unix" else f"{parts.hostname or 'localhost'}:{parts.port or 6379}"
        except ValueError as error:
            # redis-py's message can repeat the URL, and so the password
            raise InputError("the online store's URL is not one that Redis has", _HOW_TO_WRITE) from error
        return cls(client, f"Redis {where}")

    @property
    def name(self) -> str:
        return self._name

    def get(self, keys: Sequence[str]) -> list[bytes | None]:
        if not keys:
            return []
        with self._answering():
            return cast("list[bytes | None]", self._client.mget(keys))

    def put(self, values: Sequence[tuple[str, bytes]], ttl: int) -> None:
        self._pipeline([("SET", key, value, "PX", ttl) for key, value in values])

    def replace(self, key: str, value: bytes) -> None:
        with self._answering():
            self._client.set(key, value, keepttl=True, xx=True)

    def extend(self, keys: Sequence[str], ttl: int) -> list[str]:
        replies = self._pipeline([("PEXPIRE", key, ttl) for key in keys])
        return [key for key, there in zip(keys, replies, strict=True) if not there]

    def delete(self, keys: Sequence[str]) -> None:
        self._pipeline([("UNLINK", key) for key in keys])

    def scan(self, prefix: str, view: str) -> Iterator[str]:
        pattern = f"{_literal(prefix)}:{{*}}:{_literal(view)}:*"
        with self._answering():
            for key in self._client.scan_iter(match=pattern, count=1000):
                text = key.decode("utf-8", errors="replace")
                if (found := view_of_key(prefix, text)) and found[0] == view:
                    yield text

    def evicts(self) -> str | None:
        with self._answering():
            memory = self._client.info("memory")
        policy = str(memory.get("maxmemory_policy", "noeviction"))
        if not int(memory.get("maxmemory", 0)) or policy == "noeviction":
            return None
        return f"its maxmemory-policy is {policy}"

    def close(self) -> None:
        self._client.close()

    def _pipeline(self, commands: Sequence[tuple[Any, ...]]) -> list[Any]:
        if not commands:
            return []
        with self._answering(), self._client.pipeline(transaction=False) as pipeline:
            for command in commands:
                pipeline.execute_command(*command)  # type: ignore[no-untyped-call]  # redis-py's gap
            return pipeline.execute()

    @contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except redis.AuthenticationError as error:
            raise StoreOutOfReach(f"{self.name} refuses the user or password in the URL") from error
        except (redis.ConnectionError, redis.TimeoutError) as error:
            raise StoreOutOfReach(
                f"{self.name} does not answer", "is it running, and is FSYNC_ONLINE its URL?"
            ) from error
        except redis.RedisError as error:
            raise StoreOutOfReach(f"{self.name} refuses: {error}") from error


_HOW_TO_WRITE = "write redis://user:password@host:6379/0, rediss://… for TLS, or unix:///path/to/socket"


def _literal(text: str) -> str:
    """A text as a glob pattern that matches itself alone."""
    return re.sub(r"([\\*?\[\]^])", r"\\\1", text)
