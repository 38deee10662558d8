"""Stores that an event loop reads from; a push needs none of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import cached_property
from typing import Any, cast

import redis.asyncio
from redis.asyncio.sentinel import Sentinel

from fsync.store.base import Store
from fsync.store.redis import READING, answering
from fsync.store.urls import Address


class AsyncRedisStore:
    """See `AsyncStore`. Connects when it is first used."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self.name = address.name
        self.reads_at_once = address.kind != "cluster"

    @cached_property
    def _client(self) -> Any:  # redis.asyncio's clients have no common type
        address = self._address
        if address.kind == "sentinel":
            asked = Sentinel(address.sentinels, sentinel_kwargs={"socket_timeout": READING})
            return asked.master_for(address.service, **address.of_master(READING))
        kind = redis.asyncio.RedisCluster if address.kind == "cluster" else redis.asyncio.Redis
        return kind.from_url(address.url, **address.options(READING))

    async def get(self, keys: Sequence[str]) -> list[bytes | None]:
        if not keys:
            return []
        with answering(self.name):
            if self.reads_at_once:
                return cast("list[bytes | None]", await self._client.execute_command("MGET", *keys))
            pipeline = self._client.pipeline()
            for key in keys:
                pipeline.get(key)
            return cast("list[bytes | None]", await pipeline.execute())

    async def close(self) -> None:
        if "_client" in self.__dict__:
            await self._client.aclose()


class ThreadedStore:
    """A store without an event loop of its own (SQLite), read in a thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.reads_at_once = store.reads_at_once

    async def get(self, keys: Sequence[str]) -> list[bytes | None]:
        return await asyncio.to_thread(self._store.get, keys)

    async def close(self) -> None:
        self._store.close()
