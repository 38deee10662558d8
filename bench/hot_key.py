"""Building a feature table when one key holds 30 % of the events, against the same events spread evenly.

    python bench/hot_key.py [--full] [--rows N] [--repeat 3] [--threads 2]

The compiled query as `create table … as`, each time in a fresh process. Target: at most 1.5 times.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import warehouse
from measure import ROOT, Bench, arguments, in_child, median


def main() -> None:
    given = arguments(__doc__, unit="rows", small=100_000, full=1_000_000)
    bench = Bench("hot_key", {"rows": given.size, "repeat": given.repeat, "threads": given.threads})
    entities = max(1, given.size // 10)
    users = {
        "even": f"cast(floor({entities} * chance) as bigint)",
        "hot": f"case when chance < 0.3 then 0 else cast(floor({entities} * (chance - 0.3) / 0.7) as bigint) end",
    }
    taken: dict[str, list[float]] = {name: [] for name in users}
    frames = (ROOT / "bench/sql/frames.sql").read_text()
    with tempfile.TemporaryDirectory() as folder:
        roots = {name: warehouse.make_project(Path(folder) / name, given.threads) for name in users}
        for name, root in roots.items():
            in_child(warehouse.make_events, root, given.size, users[name])
        in_child(warehouse.build, roots["even"], True)
        query = warehouse.compiled(roots["even"])  # of either: both warehouses have the same names in them
        for _ in range(given.repeat):
            for name, root in roots.items():
                taken[name].append(in_child(warehouse.create, root, given.threads, "compiled", query)[0])
        for root in roots.values():
            in_child(warehouse.create, root, given.threads, "frames", frames)
            in_child(warehouse.assert_same, root, "compiled", "frames")
    for name, seconds in taken.items():
        bench.tell(name, median(seconds), "s")
    bench.tell("hot / even", median(taken["hot"]) / median(taken["even"]), "times", at_most=1.5)


if __name__ == "__main__":
    main()
