"""The right to push a view: one pusher at a time has it, for as long as it is alive and not much longer.

A lease is a key of the store that runs out by itself. While it is held, a thread renews it. A holder that was paused
past its end (a stopped process, a machine put to sleep) must not write any more, since another one may have begun:

- before each batch, with a connection in hand, it looks at the time, and writes nothing when the lease may have run out
- the next holder ends the connections of one that has not finished, with all that is under way on them
- what decides (the switch to a new version) is written in one step with the check that the lease is held
"""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Final

from fsync import wire
from fsync.errors import FsyncError, LeaseLost, PushUnderWay
from fsync.instant import now, to_text
from fsync.store import Store

#: how long a dead holder keeps others out, in milliseconds
LEASE_MS: Final = 30_000
#: a holder stops this much before the end of its lease, which the store's clock may see earlier than its own
_MARGIN_MS: Final = 5_000


class Lease:
    """A context manager: takes the lease of a view, renews it, and gives it back. `push` is a name of its own.

    Raises:
        PushUnderWay: on entering, when another one has the lease; says who, and since when.
    """

    def __init__(self, store: Store, prefix: str, view: str, *, ttl: int | None = None) -> None:
        self.push = secrets.token_hex(8)
        self._store = store
        self._view = view
        self._key = wire.lease_key(prefix, view)
        self._ttl = ttl or LEASE_MS
        who = f"process {os.getpid()} on {socket.gethostname()}"
        self._holder = wire.encode_holder(wire.Holder(self.push, store.client, who, now()))
        self._until = 0.0
        self._left = threading.Event()
        self._renewing = threading.Thread(target=self._renew, name=f"lease of {view}", daemon=True)

    def check(self) -> None:
        """Raises LeaseLost when another push may have begun."""
        if _clock() >= self._until:
            raise self._lost()

    def switch(self, entries: Sequence[tuple[str, bytes, int | None]]) -> None:
        """Write some (key, value, TTL) of the view in one step; see `Store.switch`.

        Raises:
            LeaseLost: when the lease is not held any more; then nothing is written.
        """
        if not self._store.switch(self._key, self._holder, entries):
            raise self._lost()

    def __enter__(self) -> Lease:
        begun = _clock()
        there = self._store.take(self._key, self._holder, self._ttl)
        if there is not None:
            holder = wire.decode_holder(there)
            raise PushUnderWay(
                f"{self._view} is being pushed to {self._store.name} by {holder.who}, since {to_text(holder.since)}",
                f"let it end; when it is dead, its lease runs out {self._ttl / 1000:g} s after its last sign of life",
            )
        self._until = self._end(begun)
        self._renewing.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._left.set()
        self._renewing.join()
        try:
            self._store.leave(self._key, self._holder)
        except FsyncError:
            if error is None:  # else the store is why we are here, and the lease runs out by itself
                raise

    def _renew(self) -> None:
        while not self._left.wait(self._ttl / 3 / 1000):
            begun = _clock()
            try:
                if not self._store.renew(self._key, self._holder, self._ttl):
                    self._until = 0.0
                    return
            except FsyncError:
                continue  # the next batch says what is wrong with the store; the lease may still be saved
            self._until = self._end(begun)

    def _end(self, begun: float) -> float:
        return begun + (self._ttl - min(_MARGIN_MS, self._ttl / 4)) / 1000

    def _lost(self) -> LeaseLost:
        return LeaseLost(
            f"the push of {self._view} to {self._store.name} was held up for longer than its lease of "
            f"{self._ttl / 1000:g} s, and has stopped, since another one may have begun",
            "push again",
        )


def _clock() -> float:
    """Seconds that go on while the machine sleeps, where there is such a clock."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()
