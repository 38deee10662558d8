"""Pushing a feature table to Redis, against `redis-cli --pipe` with the same commands ready-made, and against Feast.

    python bench/push.py [--full] [--entities N] [--repeat 3] [--without-feast]

Ten features of mixed types. A push is all of it: query, encoding, the record of what was pushed, the meta. Each runs
in a fresh process, in turn with `redis-cli --pipe` on the same, emptied server. Targets: 0.7 times the rate of the
pipe; an unchanged second push takes at most 15 % of the first; 1 GiB of memory for 1 M entities, growing less than the
entities do; 50 times Feast's rate, and half its memory in Redis. Feast is installed on first use, and pushes a tenth of
the entities.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import redis

import online
import peer
from measure import Bench, arguments, in_child, median


def main() -> None:
    given = arguments(__doc__, unit="entities", small=50_000, full=1_000_000, peer="feast")
    bench = Bench("push", {"entities": given.size, "repeat": given.repeat})
    with tempfile.TemporaryDirectory() as folder, online.redis_server() as port:
        root = Path(folder) / "project"
        in_child(online.make_project, root, given.size)
        first, peak = against_pipe(bench, root, Path(folder), port, given.size, given.repeat)
        again(bench, root, port, given.size, first, given.repeat)
        growth(bench, Path(folder), port, given.size, peak)
    if not given.alone:
        against_feast(bench, given.size, given.size / first)


def against_pipe(bench: Bench, root: Path, folder: Path, port: int, entities: int, repeat: int) -> tuple[float, float]:
    """A first push and the pipe, in turn; the seconds and the peak of the push."""
    pushes, pipes, peaks = [], [], []
    server = redis.Redis(port=port)
    file = folder / "commands"
    for turn in range(repeat):
        server.flushall()
        empty = online.used_memory(port)
        pushed, cost = in_child(online.push, root, port)
        assert pushed["written"] == entities
        pushes.append(pushed["seconds"])
        peaks.append(cost.peak_mib)
        if turn == 0:
            bench.tell("redis memory", (online.used_memory(port) - empty) / entities, "bytes an entity")
            assert in_child(online.write_commands, port, file)[0] == entities
            version, _ = in_child(online.version, root)
            sample = [f"fs:{{{number}}}:{online.VIEW}:{version}" for number in range(100)]
            values = server.mget(sample)
            bench.tell("a value", median(len(value) for value in values if value is not None), "bytes")
        server.flushall()
        began = time.perf_counter()
        with file.open("rb") as commands:
            subprocess.run(["redis-cli", "-p", str(port), "--pipe"], stdin=commands, check=True, capture_output=True)
        pipes.append(time.perf_counter() - began)
        assert None not in values
        assert server.mget(sample) == values
    push, pipe = median(pushes), median(pipes)
    bench.tell("push", push, "s", rate=round(entities / push), peak_mib=round(median(peaks)))
    bench.tell("redis-cli --pipe", pipe, "s", rate=round(entities / pipe))
    bench.tell("rate of the push / of the pipe", pipe / push, "times", at_least=0.7)
    bench.tell("peak memory of the push", median(peaks), "MiB", at_most=1024)
    return push, median(peaks)


def again(bench: Bench, root: Path, port: int, entities: int, first: float, repeat: int) -> None:
    """Further pushes: of the same table, of one built anew, of one that has changed, and without a record."""
    redis.Redis(port=port).flushall()
    in_child(online.push, root, port)

    def pushed_after(happen: Callable[[Path], None] | None) -> float:
        """The share of the first push's time."""
        taken = []
        for _ in range(repeat):
            if happen is not None:
                in_child(happen, root)
            pushed, _ = in_child(online.push, root, port)
            assert (pushed["written"] > 0) == (happen is online.change)
            assert pushed["keys"] == entities
            taken.append(pushed["seconds"])
        return median(taken) / first

    bench.tell("unchanged second push / first", pushed_after(None), "times", at_most=0.15)
    bench.tell("push after a build without a change / first", pushed_after(online.build_again), "times", at_most=0.15)
    bench.tell("push of 1 % changed / first", pushed_after(online.change), "times")
    bench.tell("push without a record of the last / first", pushed_after(online.lose_record), "times")


def growth(bench: Bench, folder: Path, port: int, entities: int, peak: float) -> None:
    """Four times the entities."""
    redis.Redis(port=port).flushall()
    root = folder / "larger"
    in_child(online.make_project, root, 4 * entities)
    pushed, cost = in_child(online.push, root, port)
    assert pushed["written"] == 4 * entities
    bench.tell(
        "peak memory of four times the entities",
        cost.peak_mib / peak,
        "times",
        at_most=4,
        rate=round(4 * entities / pushed["seconds"]),
    )
    redis.Redis(port=port).flushall()


def against_feast(bench: Bench, entities: int, rate: float) -> None:
    """Feast's materialize of a tenth of the entities; its rate does not grow with them."""
    with tempfile.TemporaryDirectory() as folder, online.redis_server() as port:
        root, few = Path(folder) / "project", max(1_000, entities // 10)
        in_child(online.make_project, root, few)
        in_child(online.write_parquet, root, Path(folder) / "rows.parquet")
        empty = online.used_memory(port)
        feast = peer.run("feast_side.py", Path(folder) / "rows.parquet", port, few)
        memory = (online.used_memory(port) - empty) / few
        redis.Redis(port=port).flushall()
        empty = online.used_memory(port)
        in_child(online.push, root, port)
        ours = (online.used_memory(port) - empty) / few
    bench.tell("feast materialize", feast["materialize"], "s", entities_of_feast=few, peak_mib=round(feast["peak_mib"]))
    bench.tell("rate of the push / of feast", rate * feast["materialize"] / few, "times", at_least=50)
    bench.tell(
        "redis memory / feast's", ours / memory, "times", at_most=0.5, feast=round(memory, 1), ours=round(ours, 1)
    )


if __name__ == "__main__":
    main()
