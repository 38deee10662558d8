"""Reading features online, against a bare redis-py `GET` and `MGET` of the same keys, and against Feast's SDK.

    python bench/read.py [--full] [--entities N] [--repeat 3] [--without-feast]

Ten features of mixed types, from Redis on the same machine. A read is all of it: the key, the round trip with the meta,
and the values as Python objects in a dict, with their statuses. Targets (medians): 1.6 times a bare GET for one entity,
2.5 times a bare MGET for 100, 8 times faster than Feast for 100, and 5 µs from the local cache.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import online
import peer
from measure import Bench, arguments, in_child, median

#: seconds: the median and the 99th percentile
Times = dict[str, float]


def main() -> None:
    given = arguments(__doc__, unit="entities", small=10_000, full=1_000_000, peer="feast")
    bench = Bench("read", {"entities": given.size, "repeat": given.repeat})
    with tempfile.TemporaryDirectory() as folder, online.redis_server() as port:
        root = Path(folder) / "project"
        in_child(online.make_project, root, given.size)
        in_child(online.push, root, port)
        rounds = [in_child(read, port, given.size)[0] for _ in range(given.repeat)]
    taken = {side: {p: median(each[side][p] for each in rounds) for p in ("p50", "p99")} for side in rounds[0]}
    for side, times in taken.items():
        limit = 5 if side == "one from the cache" else None
        bench.tell(side, times["p50"] * 1e6, "µs", at_most=limit, p99=round(times["p99"] * 1e6, 1))
    for ours, bare, target in (("one", "GET", 1.6), ("hundred", "MGET", 2.5)):
        bench.tell(f"{ours} / {bare}", taken[ours]["p50"] / taken[bare]["p50"], "times", at_most=target)
    if not given.alone:
        against_feast(bench, taken)


def against_feast(bench: Bench, taken: dict[str, Times]) -> None:
    with tempfile.TemporaryDirectory() as folder, online.redis_server() as port:
        root, few = Path(folder) / "project", 10_000
        in_child(online.make_project, root, few)
        in_child(online.write_parquet, root, Path(folder) / "rows.parquet")
        feast = peer.run("feast_side.py", Path(folder) / "rows.parquet", port, few)
    for side, target in (("one", None), ("hundred", 8.0)):
        times = feast[side]
        bench.tell(f"feast, {side}", times["p50"] * 1e6, "µs", p99=round(times["p99"] * 1e6, 1))
        bench.tell(f"feast / {side}", times["p50"] / taken[side]["p50"], "times", at_least=target)


def read(port: int, entities: int) -> dict[str, Times]:
    """In one process, the sides one after another."""
    import redis

    from fsync import wire
    from fsync.read import Reader

    url = f"redis://127.0.0.1:{port}/0"
    bare = redis.Redis.from_url(url)
    reader, cached = Reader(url), Reader(url, cache=1_000, cache_seconds=3_600)
    meta = reader.meta(online.VIEW)
    assert meta is not None
    numbers = [turn * 7919 % entities for turn in range(100_000)]
    names = [wire.entity_key("fs", meta.hash, meta.view, str(number)) for number in numbers]
    assert reader.read(online.VIEW, numbers[5])["orders_ever"] == cached.read(online.VIEW, numbers[5])["orders_ever"]

    def of(turn: int) -> slice:
        return slice(turn * 100 % 90_000, turn * 100 % 90_000 + 100)

    return {
        "GET": timed(lambda turn: bare.get(names[turn])),
        "one": timed(lambda turn: reader.read(online.VIEW, numbers[turn])),
        "MGET": timed(lambda turn: bare.mget(names[of(turn)])),
        "hundred": timed(lambda turn: reader.read_many(online.VIEW, numbers[of(turn)])),
        "one from the cache": timed(lambda turn: cached.read(online.VIEW, numbers[turn % 100])),
    }


def timed(call: Callable[[int], object], turns: int = 3_000) -> Times:
    """Seconds of a call."""
    for turn in range(200):
        call(turn)
    taken = []
    for turn in range(turns):
        began = time.perf_counter()
        call(turn)
        taken.append(time.perf_counter() - began)
    taken.sort()
    return {"p50": statistics.median(taken), "p99": taken[int(turns * 0.99)]}


if __name__ == "__main__":
    main()
