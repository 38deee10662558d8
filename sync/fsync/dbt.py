"""The only module that runs dbt. What dbt did is read from the files that it leaves behind.

dbt is loaded when it is first needed: importing it takes seconds.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fsync.errors import BuildFailed, InputError, NotBuilt, WarehouseOutOfReach, one_line
from fsync.spec.project import Project

#: called with the nodes that are done, all there are, and the name of the one that just ended
Progress = Callable[[int, int, str], None]

PROFILES_FILE: Final = "profiles.yml"

_FAILED: Final = frozenset({"error", "fail", "runtime error", "partial success"})


@dataclass(frozen=True)
class Node:
    """One model, seed or data test that dbt ran, or left out because of another's failure."""

    name: str
    kind: str
    status: str
    seconds: float
    message: str | None


@dataclass(frozen=True)
class DbtReport:
    """What one run of dbt did, node by node, in the order of their ends."""

    nodes: tuple[Node, ...]
    seconds: float

    @property
    def failed(self) -> tuple[Node, ...]:
        return tuple(node for node in self.nodes if node.status in _FAILED)

    def count(self, kind: str, *, status: Sequence[str] = ("success", "pass")) -> int:
        return sum(node.kind == kind and node.status in status for node in self.nodes)


def find_profiles(project: Project) -> Path:
    """The `profiles.yml` that dbt goes by: of `DBT_PROFILES_DIR`, else of the project, else of `~/.dbt`.

    Raises:
        InputError: when there is none.
    """
    given = os.environ.get("DBT_PROFILES_DIR")
    folders = [Path(given).absolute()] if given else [project.root, Path.home() / ".dbt"]
    for folder in folders:
        if (folder / PROFILES_FILE).is_file():
            return folder / PROFILES_FILE
    raise InputError(f"there is no {PROFILES_FILE} in {' or '.join(map(str, folders))}", "dbt needs one to build")


def relation_of(project: Project, jinja: str) -> str:
    """The relation that a `ref('…')` or `source('…', '…')` stands for, quoted, as dbt's manifest says.

    Raises:
        NotBuilt: when dbt has not run, or knows nothing of it.
    """
    manifest = project.root / project.target_path / "manifest.json"
    names = re.findall(r"'([^']*)'", jinja)
    try:
        known = json.loads(manifest.read_text(encoding="utf-8"))
        nodes = known["sources" if len(names) > 1 else "nodes"].values()
        relations = [
            str(node["relation_name"])
            for node in nodes
            if [node.get("source_name"), node["name"]][-len(names) :] == names and node.get("relation_name")
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotBuilt(f"there is no manifest of dbt's in {manifest.parent}", "run `fsync build`") from error
    if not relations:
        raise NotBuilt(f"dbt's manifest knows no {jinja}", "run `fsync build`")
    return relations[0]


def run_dbt(
    project: Project, command: Sequence[str], *, target: str | None = None, progress: Progress | None = None
) -> DbtReport:
    """Run a dbt command that builds, tests or compiles nodes, such as `["build"]`, in the project's folder.

    Raises:
        BuildFailed: when a model or a data test did not pass; its message names each.
        InputError: when dbt cannot read the project.
        WarehouseOutOfReach: when the warehouse cannot be opened.
    """
    from dbt.cli.main import dbtRunner  # takes seconds

    arguments = [*command, "--project-dir", str(project.root), "--log-level", "none"]
    arguments += ["--profiles-dir", str(find_profiles(project).parent), "--target-path", project.target_path]
    if target is not None:
        arguments += ["--target", target]
    results = project.root / project.target_path / "run_results.json"
    results.unlink(missing_ok=True)  # what is there afterwards is of this run
    callback = _Callback(progress)
    with contextlib.chdir(project.root), _own_logging():
        result = dbtRunner(callbacks=[callback]).invoke(arguments)
    report = _report(results) if results.is_file() else None
    if report is None:
        raise _could_not_run(result.exception)
    if report.failed:
        raise _failure(report)
    if result.exception is not None:
        raise _could_not_run(result.exception)
    return report


class _Callback:
    """Counts dbt's events of finished nodes. dbt calls it from its threads, one event at a time."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._all = 0
        self._done = 0

    def __call__(self, event: Any) -> None:
        if self._progress is None:
            return
        name = event.info.name
        if name == "LogStartLine":
            self._all = max(self._all, int(event.data.total))
        elif name == "NodeFinished":
            self._done += 1
            self._progress(self._done, max(self._all, self._done), str(event.data.node_info.node_name))


@contextlib.contextmanager
def _own_logging() -> Iterator[None]:
    """dbt sets up the root logger for its whole process; ours goes on as it was."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    try:
        yield
    finally:
        root.setLevel(level)
        root.handlers[:] = handlers


def _report(path: Path) -> DbtReport:
    written = json.loads(path.read_text(encoding="utf-8"))
    nodes = tuple(
        Node(
            name=str(result["unique_id"]).split(".")[2],
            kind=str(result["unique_id"]).split(".")[0],
            status=str(result["status"]),
            seconds=float(result["execution_time"]),
            message=result["message"],
        )
        for result in written["results"]
    )
    return DbtReport(nodes, float(written["elapsed_time"]))


def _failure(report: DbtReport) -> Exception:
    locked = next((node for node in report.failed if _is_out_of_reach(node.message)), None)
    if locked is not None:
        return WarehouseOutOfReach(one_line(locked.message))
    lines = [f"{node.kind} {node.name}: {one_line(node.message or 'no message')}" for node in report.failed]
    more = f"\n(and {len(lines) - 10} more)" if len(lines) > 10 else ""
    what = "\n".join(lines[:10]) + more
    return BuildFailed(f"dbt built what it could, and {len(lines)} of its nodes failed\n{what}", _LOOK)


def _could_not_run(error: BaseException | None) -> BaseException:
    if isinstance(error, KeyboardInterrupt):
        return KeyboardInterrupt()  # Ctrl-C goes on as Ctrl-C
    text = str(error or "dbt gave no reason").strip()
    if _is_out_of_reach(text):
        return WarehouseOutOfReach(one_line(text))
    return InputError(f"dbt cannot run this project: {text}", _LOOK)


_LOOK: Final = "logs/dbt.log has the whole story"


def _is_out_of_reach(message: str | None) -> bool:
    """Whether dbt could not open the warehouse: another holds it, or it is no warehouse."""
    return message is not None and (
        "Could not set lock on file" in message or "not a valid DuckDB database file" in message
    )
