"""What the benchmarks share: fresh processes, medians, and one line of JSON a measure.

A measure that misses its target is a measure, and the exit code stays 0; a wrong answer is an error.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import resource
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, TypeVar

import yaml

ROOT: Final = Path(__file__).parent.parent

T = TypeVar("T")


def bare_project(root: Path) -> None:
    """A new project that can build features and has none yet: macros, settings and a profile."""
    root.mkdir(parents=True)
    shutil.copytree(ROOT / "macros", root / "macros")
    shutil.copy(ROOT / "profiles.yml", root / "profiles.yml")
    settings = yaml.safe_load((ROOT / "dbt_project.yml").read_text())
    del settings["vars"]  # what the team of the reference asks for
    (root / "dbt_project.yml").write_text(yaml.safe_dump(settings))


def arguments(
    description: str | None,
    *,
    unit: str,
    small: int,
    full: int,
    peer: str | None = None,
    spreads: Sequence[str] = (),
) -> argparse.Namespace:
    """The options of every benchmark: `size` is what --full or --<unit> ask for."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help=f"the size of the claim: {full:,} {unit}")
    parser.add_argument(f"--{unit}", dest="size", type=int, help=f"another size (default: {small:,})")
    parser.add_argument("--repeat", type=int, default=3, help="measure so often, and take the median (default: 3)")
    parser.add_argument("--threads", type=int, default=2, help="of DuckDB (default: 2)")
    if peer is not None:
        parser.add_argument(f"--without-{peer}", dest="alone", action="store_true", help=f"do not measure {peer}")
    if spreads:
        parser.add_argument("--spread", choices=spreads, help="measure one spread of events over entities alone")
    given = parser.parse_args()
    given.size = given.size or (full if given.full else small)
    return given


# ---------------------------------------------------------------- fresh processes


@dataclass(frozen=True)
class Cost:
    """What a fresh process took, from its start to its answer: seconds of wall time and of CPU, and its peak in MiB."""

    seconds: float
    cpu: float
    peak_mib: float


def in_child(work: Callable[..., T], *given: Any) -> tuple[T, Cost]:
    """Call a function of a module in a fresh process; its answer, and what the process took.

    The parent has to stay small: Linux counts what it held as the child's, until the child holds more.
    """
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(there, work, given))
    started = time.perf_counter()
    process.start()
    there.close()
    try:
        answer, cpu, peak = here.recv()
    except EOFError:
        process.join()
        sys.exit(f"{work.__name__} ended with code {process.exitcode}")
    seconds = time.perf_counter() - started
    process.join()
    return answer, Cost(seconds, cpu, peak)


def _answer(pipe: Connection, work: Callable[..., Any], given: Sequence[Any]) -> None:
    answer = work(*given)
    used = resource.getrusage(resource.RUSAGE_SELF)
    unit = 1 if platform.system() == "Darwin" else 1024
    pipe.send((answer, used.ru_utime + used.ru_stime, used.ru_maxrss * unit / 2**20))


# ---------------------------------------------------------------- what is told


def median(values: Iterable[float]) -> float:
    return statistics.median(values)


@dataclass(frozen=True)
class Bench:
    """Prints the measures of one script, with the sizes and versions that they hold for."""

    name: str
    about: dict[str, Any]

    def tell(
        self,
        measure: str,
        value: float,
        unit: str,
        *,
        at_most: float | None = None,
        at_least: float | None = None,
        **more: Any,
    ) -> None:
        """One line of JSON. Without a target, `ok` is true: the value is told beside those that have one."""
        limits = (("<=", at_most), (">=", at_least))
        targets = [f"{sign} {limit:g}" for sign, limit in limits if limit is not None]
        line = {
            "bench": self.name,
            "measure": measure,
            "value": round(value, 4),
            "unit": unit,
            "target": " and ".join(targets) or None,
            "ok": (at_most is None or value <= at_most) and (at_least is None or value >= at_least),
            **more,
            **self.about,
            "cores": os.cpu_count(),
            "versions": versions(),
        }
        print(json.dumps(line), flush=True)


def versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in ("duckdb", "dbt-core", "dbt-duckdb", "sqlglot", "fsync"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
