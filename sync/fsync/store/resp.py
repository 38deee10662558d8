"""Redis commands in masses: their bytes made by Arrow, and their replies counted, without a row passing Python.

A batch of commands goes out as one buffer. All replies are expected to be the same few bytes; only when they are
not, they are parsed one by one. https://redis.io/docs/latest/develop/reference/protocol-spec/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import hiredis
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from redis.connection import AbstractConnection

OK: Final = b"+OK\r\n"
ONE: Final = b":1\r\n"

#: bytes of keys and values that one buffer of commands is made of
_SLICE: Final = 4 << 20
_RECEIVE: Final = 1 << 18
#: what the parser says when a reply has not come whole yet
_WAITING: Final = object()

#: a batch of commands as one buffer, and where its rows begin and end
Commands = tuple[memoryview, slice]


def set_commands(keys: pa.Array, values: pa.Array, ttl: int) -> Iterator[Commands]:
    """`SET key value PX ttl`, row by row."""
    tail = f"\r\n$2\r\nPX\r\n{_bulk(str(ttl))}"
    return _commands("*5\r\n$3\r\nSET\r\n", (keys, values), tail)


def expire_commands(keys: pa.Array, ttl: int) -> Iterator[Commands]:
    """`PEXPIRE key ttl`, row by row."""
    return _commands("*3\r\n$7\r\nPEXPIRE\r\n", (keys,), f"\r\n{_bulk(str(ttl))}")


def unlink_commands(keys: pa.Array) -> Iterator[Commands]:
    """`UNLINK key`, row by row."""
    return _commands("*2\r\n$6\r\nUNLINK\r\n", (keys,), "\r\n")


def _bulk(text: str) -> str:
    return f"${len(text)}\r\n{text}\r\n"


def _commands(head: str, columns: tuple[pa.Array, ...], tail: str) -> Iterator[Commands]:
    kind = columns[0].type
    for rows in _slices(columns, 0, len(columns[0])):
        parts: list[Any] = [pa.scalar(f"{head}$", kind)]
        for column in columns:
            part = column.slice(rows.start, rows.stop - rows.start)
            parts += [pc.cast(pc.binary_length(part), kind), pa.scalar("\r\n", kind), part, pa.scalar("\r\n$", kind)]
        parts[-1] = pa.scalar(tail, kind)
        yield _bytes(pc.binary_join_element_wise(*parts, pa.scalar("", kind))), rows


def _slices(columns: tuple[pa.Array, ...], start: int, stop: int) -> Iterator[slice]:
    """Row ranges of a few megabytes each, or of one row."""
    if stop - start <= 1 or sum(column.slice(start, stop - start).nbytes for column in columns) <= _SLICE:
        if stop > start:
            yield slice(start, stop)
        return
    middle = (start + stop) // 2
    yield from _slices(columns, start, middle)
    yield from _slices(columns, middle, stop)


def _bytes(text: pa.Array) -> memoryview:
    """The bytes of all rows, one after another: they are so in the array already."""
    _, offsets, data = text.buffers()
    width = 8 if pa.types.is_large_string(text.type) else 4
    ends = memoryview(offsets).cast("q" if width == 8 else "i")
    return memoryview(data)[ends[text.offset] : ends[text.offset + len(text)]]


def send(connection: AbstractConnection, commands: memoryview, count: int, expected: bytes) -> list[tuple[int, Any]]:
    """Send commands and wait for their replies.

    Returns:
        The row and the reply of each that was another than expected: an int, or a `hiredis.ReplyError`.

    Raises:
        redis.ConnectionError, OSError: when the connection ends before the last reply.
    """
    connection.send_packed_command([commands], check_health=False)
    # redis-py makes an object of each reply; its socket is all that is needed here
    socket: Any = connection._sock
    receive = socket.recv
    right, received = expected * count, 0
    while received < len(right):
        chunk = receive(_RECEIVE)
        if not chunk:
            raise ConnectionResetError("the server has closed the connection")
        if right[received : received + len(chunk)] != chunk:
            return _parsed(right[:received] + chunk, receive, count, expected)
        received += len(chunk)
    return []


def _parsed(begun: bytes, receive: Any, count: int, expected: bytes) -> list[tuple[int, Any]]:
    usual = _reply(expected)
    reader = hiredis.Reader(notEnoughData=_WAITING)
    reader.feed(begun)
    unusual = []
    for row in range(count):
        while (reply := reader.gets()) is _WAITING:
            chunk = receive(_RECEIVE)
            if not chunk:
                raise ConnectionResetError("the server has closed the connection")
            reader.feed(chunk)
        if isinstance(reply, Exception) or reply != usual:
            unusual.append((row, reply))
    return unusual


def _reply(raw: bytes) -> Any:
    reader = hiredis.Reader()
    reader.feed(raw)
    return reader.gets()
