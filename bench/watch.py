"""Watching features, against one scan a view by hand.

    python bench/watch.py [--full] [--features N] [--repeat 3]

Features of ten forms, numbers, categories and ages, in views of 50; each view's table has 1,000 rows for every feature
that there is: 1 M at full size. An entity has five rows, of which another one holds now than 28 days ago. A feature is
empty where the entity's last event is longer ago than its window is long; where it is not, one value in 50 is missing
if it may be. A watch is all that is said of the tables, from the opening of the warehouse on: freshness, NULLs among
those that should have a value, and drift since 28 days ago. By hand it is one query a view of the rows that hold now:
how many they are, and of each feature the NULLs, the mean and the standard deviation (of texts, the NULLs). Both run in
turn in one process, and open the warehouse anew. Target: fsync takes at most twice as long; the ratio of CPU time,
which other programs on the machine blur less, is told too. What watching a store adds is told of one view of 50
features, of which 1,000 entities are read from SQLite.

Both sides must count the same entities, and the same NULLs of features that every entity should have a value of; of
others, fsync must count no more. The means by hand must be those of the samples that fsync compares, but for chance.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from measure import Bench, arguments, bare_project, in_child, median
from warehouse import FILE, connect

if TYPE_CHECKING:  # children load these
    from fsync.plan import Plan, Planned, View
    from fsync.read import Reader
    from fsync.spec.project import Project
    from fsync.warehouse.duckdb import Warehouse
    from fsync.watch import Look
    from fsync.watch.look import Values

PER_VIEW: Final = 50
ROWS_PER_FEATURE: Final = 1_000
#: rows of an entity, and days from one to the next
TURNS: Final = 5
DAYS: Final = 20
#: when the tables were built: the instant that is looked at
BUILT_AT: Final = "2026-01-01 00:00:00"
#: rows of the view that is served
SERVED_ROWS: Final = 20_000


def main() -> None:
    given = arguments(__doc__, unit="features", small=100, full=1_000)
    features = max(2 * len(_FORMS), given.size)
    rows = ROWS_PER_FEATURE * features
    bench = Bench("watch", {"features": features, "rows": rows, "repeat": given.repeat, "threads": given.threads})
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "project"
        in_child(make_project, root, features, max(2, -(-features // PER_VIEW)), rows)
        against_by_hand(bench, root, given.repeat, given.threads)
        online(bench, Path(folder) / "served", min(features, PER_VIEW), given.repeat, given.threads)


def against_by_hand(bench: Bench, root: Path, repeat: int, threads: int) -> None:
    (watches, scans), cost = in_child(watch_in_turn, root, repeat, threads)
    watched, scanned = (median(taken.seconds for taken in side) for side in (watches, scans))
    size = (root / FILE).stat().st_size / 2**20
    bench.tell("fsync watch", watched, "s", peak_mib=round(cost.peak_mib), warehouse_mib=round(size))
    bench.tell("looking", median(taken.looking for taken in watches), "s")
    bench.tell("judging", median(taken.seconds - taken.looking for taken in watches), "s")
    bench.tell("by hand, a scan a view", scanned, "s")
    bench.tell("fsync watch / by hand", watched / scanned, "times", at_most=2)
    watched, scanned = (median(taken.cpu for taken in side) for side in (watches, scans))
    bench.tell(
        "fsync watch / by hand: CPU", watched / scanned, "times", fsync=round(watched, 2), hand=round(scanned, 2)
    )


def online(bench: Bench, root: Path, features: int, repeat: int, threads: int) -> None:
    """What a store adds to the watch of a view: for larger tables it is the same, since as many entities are read."""
    (alone, both, probes), _ = in_child(watch_store, root, features, repeat, threads)
    more = [together - table for together, table in zip(both, alone, strict=True)]
    about = {"features_of_view": features, "rows_of_view": SERVED_ROWS}
    bench.tell("a small view's table", median(alone), "s", **about)
    bench.tell("what its store adds", median(more), "s", store="sqlite", probes=probes, **about)


# ---------------------------------------------------------------- work for children: watching


@dataclass(frozen=True)
class Taken:
    """Seconds of wall time and of CPU; of a watch, those that its looks took are `looking`, and the rest judging."""

    seconds: float
    cpu: float
    looking: float = 0.0


def watch_in_turn(root: Path, repeat: int, threads: int) -> tuple[list[Taken], list[Taken]]:
    """Watch all views, and ask by hand, in turn."""
    assert_same(root)
    watches, scans = [], []
    for turn in range(repeat):
        if turn % 2:
            scans.append(scan(root, threads))
        watches.append(watch(root, threads))
        if not turn % 2:
            scans.append(scan(root, threads))
    return watches, scans


def watch(root: Path, threads: int, reader: Reader | None = None) -> Taken:
    """Watch all views; the specs are read anew, so that nothing is known of them."""
    from fsync.watch import judge, look_at_store, look_at_tables

    project, plan = _opened(root)
    looking = 0.0

    def clocked(looks: Iterator[Look]) -> Iterator[Look]:
        nonlocal looking
        while True:
            began = time.perf_counter()
            look = next(looks, None)
            looking += time.perf_counter() - began
            if look is None:
                return
            yield look

    began, cpu = time.perf_counter(), time.process_time()
    with _warehouse(project, threads) as warehouse:
        looks = look_at_tables(plan.views, project, plan, warehouse, _now())
        watched = judge(clocked(looks if reader is None else look_at_store(looks, reader)), _now())
    taken = Taken(time.perf_counter() - began, time.process_time() - cpu, looking)
    assert not watched.problems, watched.problems
    compared = {check.feature for check in watched.checks if check.signal == "drift" and check.p is not None}
    assert compared == {one.name for view in plan.views for one in view.features}
    return taken


def scan(root: Path, threads: int) -> Taken:
    """Ask by hand, view by view."""
    project, plan = _opened(root)
    queries = [_by_hand(view) for view in plan.views]
    began, cpu = time.perf_counter(), time.process_time()
    with _warehouse(project, threads) as warehouse:
        for query in queries:
            warehouse.row(query)
    return Taken(time.perf_counter() - began, time.process_time() - cpu)


def watch_store(root: Path, features: int, repeat: int, threads: int) -> tuple[list[float], list[float], int]:
    """Make one view and serve it from a file; the seconds of watching its table, and its store too, and the probes."""
    from contextlib import closing

    from fsync.push import push_view
    from fsync.read import Reader
    from fsync.store import default_url, open_store
    from fsync.watch import look_at_store, look_at_tables

    make_project(root, features, 1, SERVED_ROWS)
    project, plan = _opened(root)
    alone, both = [], []
    with closing(open_store(default_url(root))) as store, Reader(store) as reader:
        with _warehouse(project, threads) as warehouse:
            push_view(plan.views[0], warehouse, store)
            (look,) = look_at_store(look_at_tables(plan.views, project, plan, warehouse, _now()), reader)
        assert look.online is not None
        assert look.online.problem is None, look.online.problem
        for _ in range(repeat):
            alone.append(watch(root, threads).seconds)
            both.append(watch(root, threads, reader).seconds)
    return alone, both, look.online.probes


def _opened(root: Path) -> tuple[Project, Plan]:
    from fsync.compile import plan_project
    from fsync.spec.project import open_project

    project = open_project(root)
    return project, plan_project(project)


def _warehouse(project: Project, threads: int) -> Warehouse:
    from fsync.warehouse.duckdb import Warehouse
    from fsync.warehouse.profile import read_profile

    warehouse = Warehouse(read_profile(project))
    warehouse.rows(f"set threads = {threads}")
    return warehouse


def _now() -> int:
    from fsync.instant import to_milliseconds

    return to_milliseconds(BUILT_AT)


# ---------------------------------------------------------------- work for children: both sides


def _by_hand(view: View) -> str:
    """One row: the entities that there are now, and of each feature its NULLs, mean and standard deviation."""
    columns = ["count(*)"]
    for planned in view.features:
        nulls = f"count(*) - count({planned.name})"
        if planned.type.name == "varchar":
            columns += [nulls, "null", "null"]
        else:
            number = f"epoch({planned.name})" if planned.type.name == "timestamp" else planned.name
            columns += [nulls, f"avg({number})", f"stddev({number})"]
    held = f"valid_from < timestamp '{BUILT_AT}' and valid_to >= timestamp '{BUILT_AT}'"
    return f"select {', '.join(columns)} from {view.name} where {held}"


def assert_same(root: Path) -> None:
    """Both sides say the same of the tables, as far as both say it."""
    from fsync.watch import look_at_tables

    project, plan = _opened(root)
    of_all = 0
    with _warehouse(project, 2) as warehouse:
        for look in look_at_tables(plan.views, project, plan, warehouse, _now()):
            entities, *numbers = warehouse.row(_by_hand(look.view))
            assert look.offline.entities == entities > 0, f"{look.offline.entities}, and {entities} by hand"
            for number, planned in enumerate(look.view.features):
                nulls, mean, deviation = numbers[3 * number : 3 * number + 3]
                of_all += _assert_same_nulls(look, planned, nulls)
                if planned.type.is_number:
                    _assert_same_mean(look.offline.values[planned.name], mean, deviation)
    assert of_all, "there is no feature that every entity should have a value of"


def _assert_same_nulls(look: Look, planned: Planned, nulls: int) -> bool:
    """Whether the feature is one that every entity should have a value of."""
    counted = look.offline.counted.get(planned.name)
    if counted is None:
        return False
    is_of_all = counted.entities == look.offline.entities
    is_right = counted.nulls == nulls if is_of_all else counted.nulls <= nulls
    assert is_right, f"{planned.name} has {counted.nulls} NULLs, and {nulls} by hand"
    return is_of_all


def _assert_same_mean(sample: Values, mean: float, deviation: float) -> None:
    import numpy as np

    assert isinstance(sample, np.ndarray)
    chance = 6 * float(deviation) / len(sample) ** 0.5
    assert abs(float(sample.mean()) - float(mean)) <= chance, f"a mean of {sample.mean()}, and {mean} by hand"


# ---------------------------------------------------------------- the project

#: {w} is a window, {v} the number of the view, {k} of the round of forms
_FORMS: Final = (
    ("window_count({w})", ""),
    ("window_sum(amount, {w})", ""),
    ("window_avg(amount, {w})", ""),
    ("window_max(amount, {w})", ""),
    ("window_count_distinct(channel_{k}, {w})", ""),
    ("window_median(score, {w})", ", where: quantity > {k}"),
    ("lifetime_avg(score * {k})", ""),
    ("latest(channel_{k})", ""),
    ("latest(seen_{k})", ""),
    ("v{v}_f1 / nullif(v{v}_f0, 0) + {k}", ""),
)
_WINDOWS: Final = ("1h", "1d", "7d", "30d", "90d")
_ROUNDS: Final = -(-PER_VIEW // len(_FORMS))


def make_project(root: Path, features: int, views: int, rows: int) -> None:
    """A project with so many features, evenly in so many views, and a table of so many rows for each view."""
    from fsync.compile import compile_project
    from fsync.spec.project import open_project

    bare_project(root)
    (root / "models").mkdir()
    (root / "feature_specs").mkdir()
    (root / "models/source.yml").write_text(_source())
    for view in range(views):
        within = features // views + (view < features % views)
        (root / f"feature_specs/view_{view:02}.yml").write_text(_specs(view, within))
    plan = compile_project(open_project(root)).plan
    with connect(root) as connection:
        for number, planned in enumerate(plan.views):
            connection.execute(f"create table {planned.name} as {_rows(planned, number, rows)}")
            stamp = json.dumps({"fsync": _stamp(planned, rows)})
            connection.execute(f"comment on table {planned.name} is '{stamp}'")


def _source() -> str:
    columns = {
        "user_id": "bigint",
        "happened_at": "timestamp",
        "amount": '"decimal(10,2)"',
        "quantity": "integer",
        "score": "double",
        **{f"channel_{number}": "varchar" for number in range(_ROUNDS)},
        **{f"seen_{number}": "timestamp" for number in range(_ROUNDS)},
    }
    lines = [
        "sources:",
        "  - name: shop",
        "    tables:",
        "      - name: events",
        "        config: {event_time: happened_at}",
        "        columns:",
        "          - {name: event_id, data_type: bigint, data_tests: [unique]}",
    ]
    lines += [f"          - {{name: {name}, data_type: {kind}}}" for name, kind in columns.items()]
    return "\n".join(lines) + "\n"


def _specs(view: int, features: int) -> str:
    shared = f"entity: user_id, source: shop.events, owner: bench, view: view_{view:02}"
    lines = [f'defaults: {{{shared}, sla: {{freshness: 2d, availability: "99%"}}}}', "features:"]
    for number in range(features):
        turn = number // len(_FORMS)
        form, more = _FORMS[number % len(_FORMS)]
        window = _WINDOWS[(number + turn) % len(_WINDOWS)]
        written = form.format(w=window, v=view, k=turn)
        lines.append(f'  - {{name: v{view}_f{number}, transformation: "{written}"{more.format(k=turn)}}}')
    return "\n".join(lines) + "\n"


#: milliseconds since an entity's last event, at the least and at the most
_SHORTEST_MS: Final = 600_000
_LONGEST_MS: Final = 365 * 86_400_000

#: by type, a value made of `{u}` in [0, 1), which has few digits after the point, as prices and times have
_VALUES: Final = {
    "bigint": "1 + floor({u} * 100)",
    "decimal": "(1 + floor({u} * 20000)) / 100",
    "double": "round(-50 * ln(1 - {u}), 2)",
    "varchar": "['web', 'shop', 'app', 'telephone', 'letter', 'fair'][1 + cast(floor({u} * {u} * 6) as int)]",
    "timestamp": "valid_from - to_seconds(cast({u} * 7776000 as bigint))",
}


def _rows(view: View, number: int, rows: int) -> str:
    """The rows of a table, those of an entity one after another: a query; the same ones everywhere."""

    def begins(row: str) -> str:
        days = f"({row} % {TURNS} - {TURNS} + {_chance(row, 0)} * 0.95) * {DAYS}"
        return f"timestamp '{BUILT_AT}' + to_milliseconds(cast({days} * 86400000 as bigint))"

    values = ", ".join(
        f"cast({_value(view, planned, column)} as {planned.type}) as {planned.name}"
        for column, planned in enumerate(view.features, start=1)
    )
    first = number * rows
    quiet = f"{_SHORTEST_MS} * exp({_chance('n', 63)} * ln({_LONGEST_MS / _SHORTEST_MS!r}))"
    return (
        f"select user_id, valid_from, valid_to, {values} from (select n, (n - {first}) // {TURNS} as user_id, "
        f"{begins('n')} as valid_from, {quiet} as quiet, "
        f"if(n % {TURNS} = {TURNS - 1}, timestamp '9999-12-31', {begins('(n + 1)')}) as valid_to "
        f"from range({first}, {first + rows}) as _(n))"
    )


def _value(view: View, planned: Planned, column: int) -> str:
    value = _VALUES[planned.type.name].format(u=_chance("n", column))
    if not planned.is_never_null:
        value = f"if({_hash('n', column)} % 50 = 0, null, {value})"
    windows = [one.call.window for one in view.made_of(planned) if one.call is not None and one.call.window is not None]
    if not windows:
        return value
    empty = "0" if planned.is_never_null else "null"
    return f"if(quiet >= {min(windows).milliseconds}, {empty}, {value})"


def _chance(row: str, seed: int) -> str:
    """In [0, 1), made of a number: no state, so that threads and order do not matter."""
    return f"(({_hash(row, seed)} >> 11) / 9007199254740992.0)"


def _hash(row: str, seed: int) -> str:
    return f"hash({row} * 64 + {seed})"


def _stamp(view: View, rows: int) -> dict[str, Any]:
    return {
        "view": view.name,
        "hash": view.hash,
        "built_at": f"{BUILT_AT.replace(' ', 'T')}Z",
        "events": rows,
        "newest_event": "2025-12-31 22:00:00",
        "rows": rows,
    }


if __name__ == "__main__":
    main()
