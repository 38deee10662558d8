"""A process that pushes again and again, each time in a child of its own that the test may kill.

    python -m tests.faults.pusher WAREHOUSE-PROJECT URL PREFIX RECORD

Reads `AS_OF LEASE_MS` from stdin, forks, and writes the child's process id to stdout; the child's exit code follows
when it has ended. It has loaded everything and opened nothing, so that a fork is quick and safe. A child writes keys
20 at a time, slowly, so that there are many moments to be killed at.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import fsync.lease
from fsync.compile import plan_project
from fsync.errors import FsyncError
from fsync.plan import View
from fsync.push import push_view
from fsync.spec.project import open_project
from fsync.store import open_store
from fsync.warehouse.duckdb import Warehouse
from fsync.warehouse.profile import read_profile

PIECE = 20


class Slow:
    """A store that writes, extends and deletes in small pieces."""

    def __init__(self, store: Any, pause: float) -> None:
        self._store = store
        self._pause = pause

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if name not in ("write", "delete"):
            return method

        def call(keys: Any, *arguments: Any, **named: Any) -> None:
            for start in range(0, len(keys), PIECE):
                part = [given.slice(start, PIECE) if hasattr(given, "slice") else given for given in arguments]
                method(keys.slice(start, PIECE), *part, **named)
                time.sleep(self._pause)

        return call


def main(folder: str, url: str, prefix: str, record: str, name: str, pause: str) -> None:
    project = open_project(Path(folder))
    (view,) = (view for view in plan_project(project).views if view.name == name)
    print("ready", flush=True)
    for line in sys.stdin:
        as_of, lease_ms = map(int, line.split())
        child = os.fork()
        if child == 0:
            fsync.lease.LEASE_MS = lease_ms  # type: ignore[misc]
            os._exit(push(view, project, url, prefix, Path(record), as_of, float(pause)))
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def push(view: View, project: Any, url: str, prefix: str, record: Path, as_of: int, pause: float) -> int:
    store: Any = Slow(open_store(url), pause)
    try:
        with Warehouse(read_profile(project)) as warehouse:
            push_view(view, warehouse, store, as_of=as_of, prefix=prefix, record=record)
    except FsyncError as error:
        print(error, file=sys.stderr, flush=True)
        return error.exit_code
    return 0


if __name__ == "__main__":
    main(*sys.argv[1:])
