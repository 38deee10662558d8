"""Building a whole feature table, against the best SQL that one can write for it by hand.

    python bench/full_build.py [--full] [--rows N] [--repeat 3] [--threads 2]

A year of events of a tenth as many entities, few of them busy and most of them not; nine features: count, sum and max
over 7, 30 and 90 days. Every build runs in a fresh process, in turn: dbt building the compiled project (the time of
the model's node: query, fingerprints, ledger and commit), the compiled query alone, bench/sql/frames.sql and
bench/sql/entering_and_leaving.sql. Target: at most 1.15 times the time of the fastest hand-written SQL that needs no
more memory than the compiled query. Growth is the time for all rows over the time for a tenth of them; target: 12.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import warehouse
from measure import ROOT, Bench, Cost, arguments, in_child, median

HAND_WRITTEN: Final = ("frames", "entering_and_leaving")

#: sides whose peaks differ by less than this hold the same memory
_SAME_MEMORY: Final = 1.05

#: what a side took, of each repetition: seconds, and the peak memory of its process in MiB
Taken = Mapping[str, list[tuple[float, float]]]


def main() -> None:
    given = arguments(__doc__, unit="rows", small=200_000, full=10_000_000)
    bench = Bench("full_build", {"rows": given.size, "repeat": given.repeat, "threads": given.threads})
    with tempfile.TemporaryDirectory() as folder:
        tenth = measure(Path(folder) / "tenth", given.size // 10, given.repeat, given.threads, ())
        taken = measure(Path(folder) / "all", given.size, given.repeat, given.threads, HAND_WRITTEN)
    tell(bench, taken)
    for side in ("dbt", "compiled"):
        growth = seconds(taken, side) / seconds(tenth, side)
        bench.tell(f"growth of {side}", growth, "times", at_most=12, from_rows=given.size // 10)


def measure(root: Path, rows: int, repeat: int, threads: int, hand_written: tuple[str, ...]) -> Taken:
    """Build the table on every side, in turn, and hold their answers against each other."""
    warehouse.make_project(root, threads)
    in_child(warehouse.make_events, root, rows, warehouse.skewed(rows // 10))
    taken: dict[str, list[tuple[float, float]]] = defaultdict(list)

    def took(side: str, result: tuple[float, Cost]) -> None:
        taken[side].append((result[0], result[1].peak_mib))

    for _ in range(repeat):
        took("dbt", in_child(warehouse.build, root, True))
        took("compiled", in_child(warehouse.create, root, threads, "compiled", warehouse.compiled(root)))
        for name in hand_written:
            sql = (ROOT / "bench/sql" / f"{name}.sql").read_text()
            took(name, in_child(warehouse.create, root, threads, name, sql))
    in_child(warehouse.assert_same, root, warehouse.VIEW, "compiled", *hand_written)
    return taken


def tell(bench: Bench, taken: Taken) -> None:
    for side in taken:
        bench.tell(side, seconds(taken, side), "s", peak_mib=round(peak(taken, side)))
    no_more_memory = [name for name in HAND_WRITTEN if peak(taken, name) <= _SAME_MEMORY * peak(taken, "compiled")]
    for side in ("dbt", "compiled"):
        for name in HAND_WRITTEN:
            memory = peak(taken, side) / peak(taken, name)
            target = 1.15 if name in no_more_memory else None
            ratio = seconds(taken, side) / seconds(taken, name)
            bench.tell(f"{side} / {name}", ratio, "times", at_most=target, peak_ratio=round(memory, 3))


def seconds(taken: Taken, side: str) -> float:
    return median(took for took, _ in taken[side])


def peak(taken: Taken, side: str) -> float:
    return median(mib for _, mib in taken[side])


if __name__ == "__main__":
    main()
