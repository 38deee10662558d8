"""What fsync needs of an online store: one small interface, the same over Redis and SQLite."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pyarrow as pa


#: Raises when nothing may be written any more.
Check = Callable[[], None]


def always() -> None:
    """The check of one who need not look."""


class Store(Protocol):
    """Keys and values with a time to live. Keys are text, values bytes, TTLs milliseconds of wall clock.

    A reader needs `get` alone. What a push writes in masses comes as Arrow arrays of text, keys and values row by
    row; no key is in them twice. Every method raises `StoreOutOfReach` when the store does not answer or refuses,
    naming the key where it was one command that was refused. Objects are safe to share between threads.
    """

    @property
    def name(self) -> str:
        """Where the store is, for messages; never with a password."""

    @property
    def client(self) -> str:
        """What this object's connections are called in the store, so that another one can end them."""

    @property
    def reads_at_once(self) -> bool:
        """Whether `get` reads all keys in one step, between which no other client's writes come."""

    def get(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values of keys, in their order; None for one that is not there or has expired."""

    # what a push writes. `check` is called when the way to the server is open, right before something goes out on it;
    # what it raises ends the write

    def write(self, keys: pa.Array, values: pa.Array, ttl: int, *, check: Check = always) -> None:
        """Write values. Each key is written whole or not at all; several keys are not one step."""

    def extend(self, keys: pa.Array, ttl: int, *, check: Check = always) -> int:
        """Give keys a new time to live; how many of them are no longer there."""

    def delete(self, keys: pa.Array, *, check: Check = always) -> None:
        """Remove keys; those that are not there are no fault."""

    def scan(self, before: str, after: str) -> Iterator[pa.RecordBatch]:
        """All keys that begin and end with two texts: batches of (key, value), in no order; a key may come twice."""

    def identity(self) -> str:
        """Which server this is, and since which of its starts: another text when its data may be other data."""

    def evicts(self) -> str | None:
        """Why the store may drop keys on its own, before their time; None when it does not."""

    # what keeps two pushers apart: a key that one of them has for a while

    def take(self, lease: str, holder: bytes, ttl: int) -> bytes | None:
        """Take a lease that nobody has: None, or else the holder that has it."""

    def renew(self, lease: str, holder: bytes, ttl: int) -> bool:
        """Keep a lease for longer; False when the holder does not have it any more."""

    def leave(self, lease: str, holder: bytes) -> None:
        """Give a lease back; no fault when the holder does not have it any more."""

    def switch(self, lease: str, holder: bytes, entries: Sequence[tuple[str, bytes, int | None]]) -> bool:
        """Write some (key, value, TTL) in one step, but only while the holder has the lease; else False.

        Without a TTL the key keeps the one that it has. All keys are about the view of the lease.
        """

    def lives(self, key: str) -> int | None:
        """For how long a key is still there, in milliseconds; None when it is not there."""

    def cut(self, client: str) -> None:
        """End the connections of another client for good, as far as the store can and lets us do so.

        What that client has sent and the store has not yet carried out is not carried out any more.
        """

    def close(self) -> None:
        """Let go of the store. Closing twice is no fault."""


class AsyncStore(Protocol):
    """What an event loop reads from; see `Store`."""

    reads_at_once: bool

    async def get(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values of keys, in their order; None for one that is not there or has expired."""

    async def close(self) -> None:
        """Let go of the store. Closing twice is no fault."""
