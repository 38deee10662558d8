"""The URLs that people know for Redis: one server, a cluster, or what a Sentinel says is the master."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from redis import RedisCluster
from redis.connection import Connection, ConnectionPool, parse_url

from fsync.errors import InputError

_CONNECTING: Final = 5
_MEND: Final = (
    "write redis://user:password@host:6379/0, rediss://… for TLS, unix:///path/to/socket, redis+cluster://host:6379, "
    "or redis+sentinel://host:26379,host:26379/service/0"
)


@dataclass(frozen=True)
class Address:
    """Where a Redis is. `url` has the settings of a connection, in redis-py's form; `name` has no password."""

    kind: Literal["server", "cluster", "sentinel"]
    url: str
    name: str
    sentinels: tuple[tuple[str, int], ...] = ()
    service: str = ""

    def options(self, timeout: float, client: str | None = None) -> dict[str, Any]:
        """What redis-py is to do where the URL says nothing else (it wins): timeouts in seconds, the client's name."""
        return {
            "socket_timeout": timeout,
            "socket_connect_timeout": _CONNECTING,
            "protocol": 2,
            **({"client_name": client} if client else {}),
        }

    def of_master(self, timeout: float, client: str | None = None) -> Mapping[str, Any]:
        """The settings of a connection to the master that a Sentinel names."""
        parsed = dict(parse_url(self.url))
        for where in ("host", "port", "connection_class"):
            parsed.pop(where, None)
        return {**self.options(timeout, client), "ssl": self.url.startswith("rediss:"), **parsed}


def parse_address(url: str) -> Address:
    """Read a Redis URL; see `fsync.store.open_store`.

    Raises:
        InputError: for a URL of another form, in a message without its password.
    """
    scheme, _, rest = url.partition("://")
    transport, _, kind = scheme.partition("+")
    try:
        address = _of_sentinel(transport, rest) if kind == "sentinel" else _of_servers(f"{transport}://{rest}", kind)
        parsed = dict(parse_url(address.url))
    except ValueError:
        # redis-py's message can repeat the URL, and so the password
        raise InputError("the online store's URL is not one that Redis has", _MEND) from None
    if not address.url.startswith("unix:") and "db" not in parsed and urlsplit(address.url).path.strip("/"):
        raise InputError("the online store's URL names a database that is no number", _MEND)
    if unknown := _unknown(parsed, address.kind):
        # where a password is not encoded, part of it can look like one
        names = "" if "@" in urlsplit(address.url).query else f": {', '.join(unknown)}"
        raise InputError(
            f"the online store's URL has a setting that redis-py does not know{names}",
            "what stands behind the ? is redis-py's, such as socket_timeout=2 or ssl_ca_certs=/path",
        )
    return address if not parsed.get("db") else replace(address, name=f"{address.name}/{parsed['db']}")


def _unknown(parsed: Mapping[str, Any], kind: str) -> list[str]:
    """The settings of a URL that neither a connection of redis-py nor its pool nor its cluster can be told."""
    found = parsed.get("connection_class", Connection)
    connection = found if isinstance(found, type) else Connection  # a text is what a person wrote
    told = (*connection.__mro__, ConnectionPool, *([RedisCluster] if kind == "cluster" else []))
    known = {
        parameter.name
        for one in told
        for parameter in inspect.signature(one).parameters.values()
        if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    }
    # what no URL can give them
    known -= {"connection_class", "startup_nodes", "url"}
    return [name for name, value in parsed.items() if name not in known and not isinstance(value, type)]


def _of_servers(url: str, kind: str) -> Address:
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return Address("server", url, f"Redis {parts.path}")
    where = f"{parts.hostname or 'localhost'}:{parts.port or 6379}"
    return Address("cluster", url, f"Redis Cluster {where}") if kind else Address("server", url, f"Redis {where}")


def _of_sentinel(transport: str, rest: str) -> Address:
    """`user:password@host:port,host:port/service/db?settings`: user and password are the master's."""
    credentials, at, where = rest.rpartition("@")
    hosts, _, path = where.partition("/")
    names, mark, settings = path.partition("?")
    service, _, database = names.partition("/")
    if not service:
        raise ValueError("no service")
    sentinels = tuple((part.hostname or "localhost", part.port or 26_379) for part in map(_host, hosts.split(",")))
    return Address(
        "sentinel",
        f"{transport}://{credentials}{at}localhost/{database}{mark}{settings}",
        f"Redis {service} of Sentinel {hosts}",
        sentinels,
        service,
    )


def _host(text: str) -> Any:
    return urlsplit(f"redis://{text}")
