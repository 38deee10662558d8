"""The online store: that it answers, keeps what it is given, and knows what time it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from fsync.doctor.finding import Scene, State
from fsync.instant import now
from fsync.store import DEFAULT_FILE, default_url, open_store

#: the oldest Redis that has every command of a push
OLDEST: Final = (6, 2)
#: how far this machine's clock may be from the store's, in milliseconds
SKEW: Final = 1_000

_SQLITE: Final = "sqlite:///"


def look(scene: Scene) -> Iterator[tuple[State, str, str | None]]:
    """Findings about the store of `--online`, else of the project."""
    url = scene.online or default_url(scene.project().root)
    if url.startswith(_SQLITE):
        yield from _sqlite(url)
    else:
        yield from _redis(url)


def _sqlite(url: str) -> Iterator[tuple[State, str, str | None]]:
    store = open_store(url)
    try:
        path = Path(url.removeprefix(_SQLITE))
        if not path.parent.is_dir():
            yield "broken", f"the store's folder {path.parent} is not there", "make it, or name another file"
            return
        if not path.exists():
            yield "fine", f"{path.name} is not there yet: the first `fsync push` makes it", None
            return
        store.get(["fsync"])
        which = "the embedded store" if path.name == DEFAULT_FILE else "a store"
        yield "fine", f"{store.name} answers, {which} in a file", None
    finally:
        store.close()


def _redis(url: str) -> Iterator[tuple[State, str, str | None]]:
    from fsync.store.redis import READING, answering, connect
    from fsync.store.urls import parse_address

    store = open_store(url)
    try:
        address = parse_address(url)
        with answering(store.name):
            servers = connect(address, READING)
            before = now()
            found = [dict(server.info("server")) for server in servers.all()]
            after = now()
            servers.client.close()
        faults = [fault for info in found for fault in (*_version(info), *_clock(info, before, after))]
        if (reason := store.evicts()) is not None:
            message = f"it may drop keys on its own: {reason}. A missing key would then be read as empty values"
            faults.append(("broken", message, "set its maxmemory-policy to noeviction, or push with --store-empty"))
        for state, message, mend in faults:
            yield state, f"{store.name}: {message}", mend
        if not faults:
            yield "fine", f"{store.name} answers, version {found[0].get('redis_version')}", None
    finally:
        store.close()


def _version(info: dict[str, Any]) -> Iterator[tuple[State, str, str | None]]:
    version = str(info.get("redis_version", ""))
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
    if numbers and numbers < OLDEST:
        needed = ".".join(map(str, OLDEST))
        yield "broken", f"it is Redis {version}, and fsync needs {needed}", "bring it to a newer version"


def _clock(info: dict[str, Any], before: int, after: int) -> Iterator[tuple[State, str, str | None]]:
    """TTLs run on the store's clock, and readers go by their own. `before` and `after` the store was asked, here."""
    if "server_time_usec" not in info:
        return
    theirs = int(info["server_time_usec"]) // 1000
    # what the network took may not be counted
    skew = max(before - theirs, theirs - after, 0)
    if skew > SKEW:
        where = "behind" if theirs > after else "ahead of"
        yield "doubtful", f"this machine's clock is {skew / 1000:.1f} s {where} the store's", "let both go by NTP"
