"""What fsync needs of an online store: one small interface, the same over Redis and SQLite."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol


class Store(Protocol):
    """Keys and values with a time to live. Keys are text, values bytes, TTLs milliseconds of wall clock.

    Every method raises `StoreOutOfReach` when the store does not answer or refuses.
    """

    @property
    def name(self) -> str:
        """Where the store is, for messages; never with a password."""

    def get(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values of keys, in their order; None for one that is not there or has expired."""

    def put(self, values: Sequence[tuple[str, bytes]], ttl: int) -> None:
        """Write values. Each key is written whole or not at all; several keys are not one step."""

    def replace(self, key: str, value: bytes) -> None:
        """Give a key that is there another value, and leave its time to live."""

    def extend(self, keys: Sequence[str], ttl: int) -> list[str]:
        """Give keys a new time to live; returns those that are no longer there."""

    def delete(self, keys: Sequence[str]) -> None:
        """Remove keys; those that are not there are no fault."""

    def scan(self, prefix: str, view: str) -> Iterator[str]:
        """The entity keys of a view, of every version, in no order; a key may come twice."""

    def evicts(self) -> str | None:
        """Why the store may drop keys on its own, before their time; None when it does not."""

    def close(self) -> None:
        """Let go of the store. Closing twice is no fault."""
