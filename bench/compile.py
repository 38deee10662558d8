"""Compiling many specs, against dbt parsing what they compile to; and how fast the command line starts.

    python bench/compile.py [--full] [--features N] [--repeat 3]

20 features a view, and a source for each view: windows, lifetimes, conditions, defaults and derived features, mixed.
Each call is a fresh process. Targets: the CPU time of `fsync compile` at most 0.25 times that of
`dbt parse --no-partial-parse`; `fsync --help` below 0.3 s of CPU, without loading dbt, duckdb or sqlglot.

dbt must parse the result, `fsync compile --check` must agree with it, and every view must have its model.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from measure import Bench, Cost, arguments, bare_project, in_child, median

PER_VIEW: Final = 20
#: what starting the command line must not load
HEAVY: Final = ("dbt", "duckdb", "sqlglot", "pyarrow")


def main() -> None:
    given = arguments(__doc__, unit="features", small=200, full=2_000)
    bench = Bench("compile", {"features": given.size, "repeat": given.repeat})
    taken: dict[str, list[Cost]] = {name: [] for name in ("compile", "unchanged", "dbt parse", "help")}
    with tempfile.TemporaryDirectory() as folder:
        root = make_project(Path(folder) / "project", given.size)
        for _ in range(given.repeat):
            shutil.rmtree(root / "models/features", ignore_errors=True)
            taken["compile"].append(in_child(fsync, ["compile", "--project-dir", str(root)])[1])
            taken["unchanged"].append(in_child(fsync, ["compile", "--check", "--project-dir", str(root)])[1])
            taken["dbt parse"].append(in_child(dbt_parse, root)[1])
        models = len(list((root / "models/features").glob("*.sql")))
        assert models == -(-given.size // PER_VIEW), f"{models} models"
        nodes = len(json.loads((root / "target/manifest.json").read_text())["nodes"])
        assert nodes > models, f"dbt found {nodes} nodes"
    for _ in range(given.repeat):
        loaded, cost = in_child(fsync, ["--help"])
        heavy = sorted(set(HEAVY) & set(loaded))
        assert not heavy, f"fsync --help loads {', '.join(heavy)}"
        taken["help"].append(cost)
    for name, costs in taken.items():
        target = 0.3 if name == "help" else None
        bench.tell(f"{name}: CPU", median(cost.cpu for cost in costs), "s", at_most=target)
        bench.tell(f"{name}: wall", median(cost.seconds for cost in costs), "s")
    for name in ("compile", "unchanged"):
        parse = median(cost.cpu for cost in taken["dbt parse"])
        ratio = median(cost.cpu for cost in taken[name]) / parse
        bench.tell(f"{name} / dbt parse: CPU", ratio, "times", at_most=0.25)
        wall = median(cost.seconds for cost in taken[name]) / median(cost.seconds for cost in taken["dbt parse"])
        bench.tell(f"{name} / dbt parse: wall", wall, "times", at_most=0.25)


# ---------------------------------------------------------------- work for children


def fsync(arguments: Sequence[str]) -> list[str]:
    """Call the command line; the packages that are loaded afterwards."""
    from fsync_cli.main import run

    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        code = run(list(arguments))
    assert code == 0, f"fsync {' '.join(arguments)} ended with {code}: {out.getvalue()}"
    assert "duplicate-feature" not in out.getvalue(), "no two features mean the same"
    return sorted({name.split(".")[0] for name in sys.modules})


def dbt_parse(root: Path) -> None:
    from dbt.cli.main import dbtRunner

    os.chdir(root)
    result = dbtRunner().invoke(["--quiet", "--no-partial-parse", "--log-level", "none", "parse"])
    assert result.success, f"dbt cannot parse what was compiled: {result.exception}"


# ---------------------------------------------------------------- the project


def make_project(root: Path, features: int) -> Path:
    """A project with so many features; the same ones every time."""
    views = -(-features // PER_VIEW)
    bare_project(root)
    (root / "models").mkdir()
    (root / "feature_specs").mkdir()
    (root / "models/sources.yml").write_text(_sources(views))
    for view in range(views):
        within = min(PER_VIEW, features - view * PER_VIEW)
        (root / f"feature_specs/view_{view:03}.yml").write_text(_specs(view, within))
    return root


def _sources(views: int) -> str:
    lines = ["sources:", "  - name: shop", "    tables:"]
    for number in range(views):
        lines += [
            f"      - name: events_{number}",
            "        config: {event_time: happened_at}",
            "        columns:",
            "          - {name: event_id, data_type: bigint, data_tests: [unique]}",
            "          - {name: user_id, data_type: bigint}",
            "          - {name: happened_at, data_type: timestamp}",
            '          - {name: amount, data_type: "decimal(10,2)"}',
            "          - {name: quantity, data_type: integer}",
            "          - {name: score, data_type: double}",
            "          - {name: channel, data_type: varchar}",
        ]
    return "\n".join(lines) + "\n"


#: transformation, and what else the spec says; {w} is a window, {v} the number of the view, {i} of the feature
_FORMS: Final = (
    ("window_count({w})", ""),
    ("window_sum(amount, {w})", ""),
    ("window_avg(amount, {w})", ", where: amount > {i}"),
    ("window_max(amount * quantity, {w})", ", default: 0"),
    ("window_min(score, {w})", ", where: \"channel in ('web', 'shop')\""),
    ("window_count_distinct(channel, {w})", ""),
    ("lifetime_sum(quantity * {i})", ""),
    ("latest(channel)", ", ttl: {i}d"),
    ("window_median(amount, {w})", ", where: quantity between 1 and {i}"),
    ("v{v}_f1 / nullif(v{v}_f0, 0) + {i}", ""),
)
_WINDOWS: Final = ("1h", "1d", "7d", "30d", "90d")


def _specs(view: int, features: int) -> str:
    source = f"shop.events_{view}"
    lines = [f"defaults: {{entity: user_id, source: {source}, owner: bench, view: view_{view:03}}}", "features:"]
    for number in range(features):
        form, more = _FORMS[number % len(_FORMS)]
        window = _WINDOWS[(number + number // len(_FORMS) + view) % len(_WINDOWS)]
        written = form.format(w=window, v=view, i=number + 1)
        lines.append(
            f'  - {{name: v{view}_f{number}, transformation: "{written}", description: The feature {number} of view '
            f"{view}., tags: [bench]{more.format(i=number + 1)}}}"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
