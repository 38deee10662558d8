"""Redis as the online store, through redis-py. No command newer than Redis 6.2."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

import redis
from redis.sentinel import Sentinel

from fsync.errors import StoreOutOfReach, one_line
from fsync.store.base import Check, always
from fsync.store.urls import Address

if TYPE_CHECKING:
    import pyarrow as pa

#: how long a read, and a batch of writes, may wait for the server, in seconds
READING: Final = 5
WRITING: Final = 60

_SCANNED: Final = 10_000

_RENEW: Final = "return redis.call('get', KEYS[1]) == ARGV[1] and redis.call('pexpire', KEYS[1], ARGV[2]) or 0"
_LEAVE: Final = "return redis.call('get', KEYS[1]) == ARGV[1] and redis.call('unlink', KEYS[1]) or 0"
_SWITCH: Final = """\
if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
for i = 2, #KEYS do
    if ARGV[2 * i - 1] == '' then
        redis.call('set', KEYS[i], ARGV[2 * i - 2], 'XX', 'KEEPTTL')
    else
        redis.call('set', KEYS[i], ARGV[2 * i - 2], 'PX', ARGV[2 * i - 1])
    end
end
return 1
"""


class Servers(Protocol):
    """One Redis server, or the nodes of a cluster: which of them has which key."""

    client: Any  # redis.Redis or redis.RedisCluster: what redis-py gives them has no common type

    def get(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values of keys, in their order."""

    def all(self) -> list[redis.Redis]:
        """Every server that has keys of its own."""

    def there(self, server: redis.Redis, keys: Sequence[bytes]) -> list[Any]:
        """The values that one server has of keys, in their order; something else than bytes for what it has not."""

    def having(self, keys: pa.Array) -> Iterable[tuple[redis.Redis, pa.Array | None]]:
        """Servers, and the numbers of the rows whose keys they have; None for all rows."""


class OneServer:
    """See `Servers`."""

    def __init__(self, client: redis.Redis) -> None:
        self.client = client

    def get(self, keys: Sequence[str]) -> list[bytes | None]:
        return cast("list[bytes | None]", self.client.execute_command("MGET", *keys))

    def all(self) -> list[redis.Redis]:
        return [self.client]

    def there(self, server: redis.Redis, keys: Sequence[bytes]) -> list[Any]:
        return cast("list[Any]", server.execute_command("MGET", *keys)) if keys else []

    def having(self, keys: pa.Array) -> Iterable[tuple[redis.Redis, pa.Array | None]]:
        return [(self.client, None)]


def connect(address: Address, timeout: float, client: str | None = None) -> Servers:
    """The servers at an address. A cluster, and a Sentinel when it is first used, is asked at once who they are."""
    if address.kind == "cluster":
        from fsync.store.cluster import ClusterServers

        return ClusterServers(redis.RedisCluster.from_url(address.url, **address.options(timeout, client)))
    if address.kind == "sentinel":
        asked = Sentinel(address.sentinels, sentinel_kwargs={"socket_timeout": timeout})
        return OneServer(asked.master_for(address.service, **address.of_master(timeout, client)))
    return OneServer(redis.Redis.from_url(address.url, **address.options(timeout, client)))


class RedisStore:
    """See `Store`. Reading and writing have connections of their own; the latter bear the name `client`."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self.name = address.name
        self.reads_at_once = address.kind != "cluster"
        self.client = f"fsync-{os.getpid()}-{secrets.token_hex(4)}"

    @cached_property
    def _reading(self) -> Servers:
        return connect(self._address, READING)

    @cached_property
    def _writing(self) -> Servers:
        return connect(self._address, WRITING, self.client)

    def get(self, keys: Sequence[str]) -> list[bytes | None]:
        if not keys:
            return []
        with self._answering():
            return self._reading.get(keys)

    # ---------------------------------------------------------------- what a push writes

    def write(self, keys: pa.Array, values: pa.Array, ttl: int, *, check: Check = always) -> None:
        from fsync.store.resp import OK, set_commands

        def again(row: int) -> Any:
            return self._writing.client.set(keys[row].as_py(), values[row].as_py(), px=ttl)

        self._send(lambda rows: set_commands(_rows(keys, rows), _rows(values, rows), ttl), OK, keys, again, check)

    def extend(self, keys: pa.Array, ttl: int, *, check: Check = always) -> int:
        from fsync.store.resp import ONE, expire_commands

        def again(row: int) -> Any:
            return self._writing.client.pexpire(keys[row].as_py(), ttl)

        return self._send(lambda rows: expire_commands(_rows(keys, rows), ttl), ONE, keys, again, check)

    def delete(self, keys: pa.Array, *, check: Check = always) -> None:
        from fsync.store.resp import ONE, unlink_commands

        def again(row: int) -> Any:
            return self._writing.client.unlink(keys[row].as_py())

        self._send(lambda rows: unlink_commands(_rows(keys, rows)), ONE, keys, again, check)

    def _send(
        self,
        commands: Callable[[pa.Array | None], Iterable[tuple[memoryview, slice]]],
        expected: bytes,
        keys: pa.Array,
        again: Callable[[int], Any],
        check: Check,
    ) -> int:
        """Send the commands of all rows to the servers of their keys; how many had another reply than expected."""
        unusual = 0
        with self._answering():
            for server, rows in self._writing.having(keys):
                for batch, part in commands(rows):
                    for row, reply in self._send_batch(server, batch, part, expected, check):
                        number = row if rows is None else rows[row].as_py()
                        if isinstance(reply, Exception):
                            check()
                            reply = self._sent_on(number, reply, keys, again)
                        unusual += not reply
        return unusual

    def _send_batch(
        self, server: redis.Redis, batch: memoryview, part: slice, expected: bytes, check: Check
    ) -> Iterator[tuple[int, Any]]:
        from fsync.store.resp import send

        pool = server.connection_pool
        connection = pool.get_connection()
        try:
            check()
            for row, reply in send(connection, batch, part.stop - part.start, expected):
                yield part.start + row, reply
        except BaseException:  # Ctrl-C too: replies that nobody has read must not be taken for those of others
            connection.disconnect()
            raise
        finally:
            pool.release(connection)

    def _sent_on(self, row: int, reply: Exception, keys: pa.Array, again: Callable[[int], Any]) -> Any:
        """The reply of the server that a row's slot has moved to."""
        if not str(reply).startswith(("MOVED ", "ASK ", "TRYAGAIN", "CLUSTERDOWN")):
            raise StoreOutOfReach(f"{self.name} refuses {_shortened(keys[row].as_py())}: {reply}", _mend(str(reply)))
        return again(row)  # redis-py's own client goes where it is sent

    def scan(self, before: str, after: str) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        with self._answering():
            servers = self._writing.all()
        for server in servers:
            cursor = 0
            while True:
                with self._answering():
                    pattern = f"{_literal(before)}*{_literal(after)}"
                    cursor, keys = cast("tuple[int, list[bytes]]", server.scan(cursor, match=pattern, count=_SCANNED))
                    values = self._writing.there(server, keys)
                found = [
                    (text, value)
                    for key, value in zip(keys, values, strict=True)
                    if isinstance(value, bytes) and (text := _as_text(key)) is not None
                ]
                texts = pa.array([text for text, _ in found], pa.string())
                yield pa.record_batch([texts, pa.array([value for _, value in found], pa.binary())], ["key", "value"])
                if cursor == 0:
                    break

    # ---------------------------------------------------------------- leases

    def take(self, lease: str, holder: bytes, ttl: int) -> bytes | None:
        with self._answering():
            client = self._writing.client
            while not client.set(lease, holder, nx=True, px=ttl):
                # it can run out between the two
                if (there := client.get(lease)) is not None:
                    return cast("bytes", there)
        return None

    def renew(self, lease: str, holder: bytes, ttl: int) -> bool:
        with self._answering():
            return bool(self._writing.client.eval(_RENEW, 1, lease, holder, ttl))

    def leave(self, lease: str, holder: bytes) -> None:
        with self._answering():
            self._writing.client.eval(_LEAVE, 1, lease, holder)

    def switch(self, lease: str, holder: bytes, entries: Sequence[tuple[str, bytes, int | None]]) -> bool:
        arguments: list[Any] = [holder]
        for _, value, ttl in entries:
            arguments += [value, "" if ttl is None else ttl]
        keys = [lease, *(key for key, _, _ in entries)]
        with self._answering():
            return bool(self._writing.client.eval(_SWITCH, len(keys), *keys, *arguments))

    def lives(self, key: str) -> int | None:
        with self._answering():
            left = int(self._writing.client.pttl(key))
        return left if left >= 0 else None

    def cut(self, client: str) -> None:
        with self._answering():
            for server in self._writing.all():
                try:
                    for connection in server.client_list():
                        if connection.get("name") == client:
                            server.client_kill_filter(_id=connection["id"])
                except redis.exceptions.NoPermissionError:
                    continue  # then the other client's own look at its clock is all that keeps it away

    # ---------------------------------------------------------------- the server

    def identity(self) -> str:
        with self._answering():
            return ",".join(sorted(str(server.info("server")["run_id"]) for server in self._writing.all()))

    def evicts(self) -> str | None:
        with self._answering():
            for server in self._writing.all():
                memory = server.info("memory")
                policy = str(memory.get("maxmemory_policy", "noeviction"))
                if int(memory.get("maxmemory", 0)) and policy != "noeviction":
                    return f"its maxmemory-policy is {policy}"
        return None

    def close(self) -> None:
        for servers in ("_reading", "_writing"):
            if servers in self.__dict__:
                self.__dict__[servers].client.close()

    def _answering(self) -> AbstractContextManager[None]:
        return answering(self.name)


@contextmanager
def answering(name: str) -> Iterator[None]:
    """redis-py's errors as ours; `name` is the store's."""
    try:
        yield
    except redis.AuthenticationError as error:
        raise StoreOutOfReach(
            f"{name} refuses the user or password in its URL",
            "write redis://user:password@host:6379/0, with what the server knows",
        ) from error
    except (redis.ConnectionError, redis.TimeoutError, redis.exceptions.RedisClusterException) as error:
        raise StoreOutOfReach(f"{name} does not answer", "is it running, and is this its address?") from error
    except redis.RedisError as error:
        raise StoreOutOfReach(f"{name} refuses: {one_line(error)}", _mend(str(error))) from error
    except OSError as error:
        raise StoreOutOfReach(f"{name} has ended the connection: {one_line(error)}") from error


def _as_text(key: bytes) -> str | None:
    """A key as text; None for one that no push can have written."""
    try:
        return key.decode()
    except UnicodeDecodeError:
        return None


def _rows(column: pa.Array, rows: pa.Array | None) -> pa.Array:
    return column if rows is None else column.take(rows)


def _mend(reply: str) -> str | None:
    if reply.startswith("OOM") or "'maxmemory'" in reply:  # redis-py cuts the code off
        return "it is full: give it more memory (maxmemory), or push fewer views; what was served is served on"
    if reply.startswith("NOPERM") or "no permissions" in reply:
        return "the user in the URL needs more rights: see docs/ml-engineers.md"
    return None


def _shortened(key: str) -> str:
    return key if len(key) <= 80 else f"{key[:60]}…{key[-20:]}"


def _literal(text: str) -> str:
    """A text as a glob pattern that matches itself alone."""
    return re.sub(r"([\\*?\[\]^])", r"\\\1", text)
