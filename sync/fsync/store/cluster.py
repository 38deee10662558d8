"""Redis Cluster: which node has which key, for rows in masses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

import redis
from redis.cluster import ClusterNode, RedisCluster

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

_SLOTS: Final = 16_384


class ClusterServers:
    """See `fsync.store.redis.Servers`."""

    def __init__(self, client: RedisCluster) -> None:
        self.client = client

    def get(self, keys: Sequence[str]) -> list[bytes | None]:
        with self.client.pipeline() as pipeline:
            for key in keys:
                pipeline.get(key)
            return cast("list[bytes | None]", pipeline.execute())

    def all(self) -> list[redis.Redis]:
        return [self._client_of(node) for node in self.client.get_primaries()]

    def there(self, server: redis.Redis, keys: Sequence[bytes]) -> list[Any]:
        # one MGET is of one slot; a key that has moved since is an error among the values, and its new server shows it
        with server.pipeline(transaction=False) as pipeline:
            for key in keys:
                pipeline.get(key)
            return pipeline.execute(raise_on_error=False)

    def having(self, keys: pa.Array) -> Iterable[tuple[redis.Redis, pa.Array | None]]:
        import numpy as np
        import pyarrow as pa

        nodes = self.client.nodes_manager.slots_cache
        primaries = [nodes[slot][0] if nodes.get(slot) else None for slot in range(_SLOTS)]
        known = list(dict.fromkeys(node.name for node in primaries if node is not None))
        if not known:
            raise redis.exceptions.RedisClusterException("no node is known to have any slot")
        number = {name: place for place, name in enumerate(known)}
        # a slot that nobody is known to have goes to the first node, which says who has it
        of_slot = np.array([number[node.name] if node is not None else 0 for node in primaries])
        of_row = of_slot[slots(keys)]
        by_name = {node.name: node for node in primaries if node is not None}
        for place, name in enumerate(known):
            rows = np.flatnonzero(of_row == place)
            if len(rows):
                yield self._client_of(by_name[name]), pa.array(rows)

    def _client_of(self, node: ClusterNode) -> redis.Redis:
        return self.client.get_redis_connection(node)


def slots(keys: pa.Array) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The slot of each key: CRC16 (XMODEM) of what stands between its first braces, modulo 16,384.

    https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#key-distribution-model
    """
    import numpy as np
    import pyarrow.compute as pc

    tag = pc.struct_field(pc.extract_regex(keys, r"\{(?P<tag>[^}]*)\}"), "tag")
    _, offsets, data = tag.buffers()
    width = np.int64 if str(tag.type).startswith("large") else np.int32
    ends = np.frombuffer(offsets, width)[tag.offset : tag.offset + len(tag) + 1].astype(np.int64)
    letters = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
    table = _crc_table()
    crc = np.zeros(len(keys), np.int64)
    # one letter of every key that is so long at a time
    rows = np.flatnonzero(ends[1:] > ends[:-1])
    place = 0
    while len(rows):
        letter = letters[ends[rows] + place]
        crc[rows] = (crc[rows] << 8 & 0xFFFF) ^ table[crc[rows] >> 8 ^ letter]
        place += 1
        rows = rows[ends[rows + 1] - ends[rows] > place]
    return crc % _SLOTS


def _crc_table() -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    import numpy as np

    crc = np.arange(256, dtype=np.int64) << 8
    for _ in range(8):
        crc = (crc << 1 ^ np.where(crc & 0x8000, 0x1021, 0)) & 0xFFFF
    return crc
