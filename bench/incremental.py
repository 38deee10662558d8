"""Building incrementally, against the full refresh.

    python bench/incremental.py [--full] [--rows N] [--spread even] [--repeat 3] [--threads 2]

The project and the events of bench/full_build.py, a year of them, and a lateness of 2 days declared on the source:
once spread evenly over the entities, once skewed, so that few have many.
After the full build there come: one more day of events; nothing; 100 events that are late. Each is measured in a
fresh process from a copy of the same warehouse, by the time of the model's node, which takes fingerprints, rows and
ledger to the commit. Target for a day: at most 5 % of the full refresh of the same events.

After each, the table must hold what the compiled query gives for the events that are there.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import warehouse
from measure import Bench, arguments, in_child, median

SPREADS: Final = {"even": warehouse.even, "skewed": warehouse.skewed}


def main() -> None:
    given = arguments(__doc__, unit="rows", small=200_000, full=10_000_000, spreads=tuple(SPREADS))
    bench = Bench("incremental", {"rows": given.size, "repeat": given.repeat, "threads": given.threads})
    for spread in [given.spread] if given.spread else SPREADS:
        user = SPREADS[spread]
        with tempfile.TemporaryDirectory() as folder:
            measure(bench, Path(folder) / "project", spread, user(given.size // 10), given)


def measure(bench: Bench, root: Path, spread: str, user: str, given: argparse.Namespace) -> None:
    happenings: dict[str, Callable[..., int] | None] = {
        "one more day": warehouse.append_day,
        "nothing new": None,
        "late events": warehouse.append_late,
    }
    warehouse.make_project(root, given.threads)
    in_child(warehouse.make_events, root, given.size, user)
    full = median(in_child(warehouse.build, root, True)[0] for _ in range(given.repeat))
    bench.tell(f"{spread}: full refresh", full, "s")
    before = root / "before.duckdb"
    shutil.copy(root / warehouse.FILE, before)
    for name, happen in happenings.items():
        events = 0
        shutil.copy(before, root / warehouse.FILE)
        if happen is not None:
            events, _ = in_child(happen, root, given.size, user)
        after = root / "after.duckdb"
        shutil.copy(root / warehouse.FILE, after)
        seconds = median(_repeated(root, after) for _ in range(given.repeat))
        in_child(warehouse.create, root, given.threads, "compiled", warehouse.compiled(root))
        in_child(warehouse.assert_same, root, warehouse.VIEW, "compiled")
        target = 0.05 if name == "one more day" else None
        share = f"{spread}: {name}: share of the full refresh"
        bench.tell(share, seconds / full, "of 1", at_most=target, events=events)
        bench.tell(f"{spread}: {name}", seconds, "s", events=events)


def _repeated(root: Path, warehouse_before: Path) -> float:
    shutil.copy(warehouse_before, root / warehouse.FILE)
    seconds = in_child(warehouse.build, root)[0]
    assert in_child(warehouse.is_incremental, root)[0], "the build was a full refresh"
    return seconds


if __name__ == "__main__":
    main()
