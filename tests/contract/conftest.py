"""Every store that the contract holds for."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from fsync.store import Store, open_store
from tests.servers import Server


@pytest.fixture
def prefix() -> str:
    """A prefix of the test's own, so that tests can share a server."""
    return f"test-{uuid.uuid4().hex}"


@pytest.fixture(params=["sqlite", "redis", "cluster"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/a folder with spaces.sqlite"
    if request.param == "cluster":
        servers: list[Server] = request.getfixturevalue("cluster")
        return f"redis+cluster://127.0.0.1:{servers[0].port}"
    url: str = request.getfixturevalue("redis_url")
    return url


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    opened = open_store(store_url)
    yield opened
    opened.close()
