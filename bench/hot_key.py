"""Building a feature table when one key holds 30 % of the events, against the same events spread evenly.

    python bench/hot_key.py [--full] [--rows N] [--repeat 3] [--threads 2]

The compiled query as `create table … as`, each time in a fresh process: of counts and sums, which need no frames, and
of counts, sums and maxima. Target: at most 1.5 times.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import warehouse
from measure import ROOT, Bench, arguments, in_child, median

SETS = {"counts and sums": ("count", "sum"), "counts, sums and maxima": ("count", "sum", "max")}


def main() -> None:
    given = arguments(__doc__, unit="rows", small=100_000, full=1_000_000)
    bench = Bench("hot_key", {"rows": given.size, "repeat": given.repeat, "threads": given.threads})
    entities = max(1, given.size // 10)
    users = {
        "even": warehouse.even(entities),
        "hot": f"case when chance < 0.3 then 0 else cast(floor({entities} * (chance - 0.3) / 0.7) as bigint) end",
    }
    for name, aggregates in SETS.items():
        with tempfile.TemporaryDirectory() as folder:
            taken = measure(Path(folder), aggregates, users, given.size, given.repeat, given.threads)
        for spread, seconds in taken.items():
            bench.tell(f"{name}: {spread}", median(seconds), "s")
        ratio = median(taken["hot"]) / median(taken["even"])
        bench.tell(f"{name}: hot / even", ratio, "times", at_most=1.5)


def measure(
    folder: Path, aggregates: tuple[str, ...], users: dict[str, str], rows: int, repeat: int, threads: int
) -> dict[str, list[float]]:
    """The seconds of each repetition, by how the events are spread."""
    taken: dict[str, list[float]] = {name: [] for name in users}
    roots = {name: warehouse.make_project(folder / name, threads, aggregates) for name in users}
    for name, root in roots.items():
        in_child(warehouse.make_events, root, rows, users[name])
    in_child(warehouse.build, roots["even"], True)
    query = warehouse.compiled(roots["even"])  # of either: both warehouses have the same names in them
    for _ in range(repeat):
        for name, root in roots.items():
            taken[name].append(in_child(warehouse.create, root, threads, "compiled", query)[0])
    if "max" in aggregates:  # the hand-written query has all of them
        frames = (ROOT / "bench/sql/frames.sql").read_text()
        for root in roots.values():
            in_child(warehouse.create, root, threads, "frames", frames)
            in_child(warehouse.assert_same, root, "compiled", "frames")
    return taken


if __name__ == "__main__":
    main()
