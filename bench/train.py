"""Training sets, against a hand-written `ASOF JOIN` into the same Parquet file, and against Feast with DuckDB.

    python bench/train.py [--full] [--labels N] [--repeat 3] [--without-feast]

Ten features of mixed types; labels from a Parquet file, at random times of random entities. fsync's side is all of
`fsync train` from the opening of the warehouse on, the check of the labels and the summary included. Targets: 1.2 times
the time of the best of two queries by hand that write the same file, with its rows in the order of the labels (in any
order, which is told too, they do less); with a memory limit of 4 GB, time that grows no faster than the labels
from a tenth to ten times as many; 20 times faster than Feast, with a tenth of its memory, for 200,000 labels of 5,000
entities with 1,000 rows each. Every side must give the same rows.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Final

import duckdb

import online
import peer
from measure import Bench, arguments, in_child, median

HAND_WRITTEN: Final = ("point_in_time", "point_in_time_semi")
ORDERS: Final = ("in order", "in any order")
#: of the table: changes of each entity, and the hours between them
CHANGES: Final = 100
HOURS: Final = 80


def main() -> None:
    given = arguments(__doc__, unit="labels", small=10_000, full=1_000_000, peer="feast")
    bench = Bench("train", {"labels": given.size, "repeat": given.repeat})
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "project"
        entities = max(100, given.size // 10)
        in_child(make_history, root, entities, CHANGES)
        against_by_hand(bench, root, given.size, entities, given.repeat)
        growth(bench, root, given.size, entities)
    if not given.alone:
        against_feast(bench, given.size)


def against_by_hand(bench: Bench, root: Path, labels: int, entities: int, repeat: int) -> None:
    in_child(make_labels, root, labels, entities)
    taken: dict[str, list[float]] = {}
    for _ in range(repeat):
        seconds, cost = in_child(train, root)
        taken.setdefault("fsync", []).append(seconds)
        for side in HAND_WRITTEN:
            for order in ORDERS:
                seconds, _ = in_child(by_hand, root, side, order)
                taken.setdefault(f"{side} {order}", []).append(seconds)
                in_child(assert_same, root, f"{side}.parquet", order)
    times = {side: median(seconds) for side, seconds in taken.items()}
    ours = times.pop("fsync")
    bench.tell("fsync train", ours, "s", rows_of_the_table=entities * CHANGES, peak_mib=round(cost.peak_mib))
    for side, seconds in times.items():
        bench.tell(f"by hand: {side}", seconds, "s")
    for order, target in zip(ORDERS, (1.2, None), strict=True):
        best = min(times[f"{side} {order}"] for side in HAND_WRITTEN)
        bench.tell(f"fsync train / the best by hand {order}", ours / best, "times", at_most=target)


def growth(bench: Bench, root: Path, labels: int, entities: int) -> None:
    """From a tenth of the labels to ten times as many, with little memory."""
    seconds = {}
    for size in (labels // 10, labels * 10):
        in_child(make_labels, root, size, entities)
        seconds[size], cost = in_child(train, root, "4GB")
        bench.tell(f"{size:,} labels in 4 GB", seconds[size], "s", peak_mib=round(cost.peak_mib))
    few, many = seconds
    bench.tell("time of a hundred times the labels", seconds[many] / seconds[few], "times", at_most=100)


def against_feast(bench: Bench, labels: int) -> None:
    """Entities with long histories, which Feast joins whole before it chooses."""
    entities, few = max(10, labels // 200), max(1_000, labels // 5)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "project"
        in_child(make_history, root, entities, 1_000)
        in_child(make_labels, root, few, entities)
        in_child(online.write_history, root, root / "history.parquet")
        ours, cost = in_child(train, root)
        feast = peer.run("feast_training.py", root / "history.parquet", root / "labels.parquet", root / "feast.parquet")
        in_child(assert_like_feast, root)
    about = {"labels_of_both": few, "rows_of_the_table": entities * 1_000}
    bench.tell("feast get_historical_features", feast["seconds"], "s", peak_mib=round(feast["peak_mib"]), **about)
    bench.tell("fsync train, of the same", ours, "s", peak_mib=round(cost.peak_mib), **about)
    bench.tell("feast / fsync", feast["seconds"] / ours, "times", at_least=20, **about)
    bench.tell("memory: fsync / feast", cost.peak_mib / feast["peak_mib"], "times", at_most=0.1, **about)


# ---------------------------------------------------------------- work for children


def make_history(root: Path, entities: int, changes: int) -> None:
    """A project whose table has so many changes of each entity, evenly before the build."""
    from fsync.compile import plan_project
    from fsync.spec.project import open_project

    online.make_project(root, 10)
    (view,) = plan_project(open_project(root)).views
    kinds = {planned.name: str(planned.type) for planned in view.features}
    hours = HOURS * CHANGES / changes
    online.fill(root, kinds, entities, f"range({changes})", hours, hours * changes)
    online.stamp(root, online.BUILT_AT, view.hash)


def make_labels(root: Path, labels: int, entities: int) -> None:
    """Random entities, one in a hundred of them unknown, at random times that are no change's."""
    hours = HOURS * CHANGES
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select number as label_id, cast(hash(number) % {entities + entities // 100} as bigint) as user_id, "
            f"timestamp '{online.BUILT_AT}' - to_milliseconds(cast(hash(number * 7 + 1) % "
            f"{hours * 3_600_000 // 10} as bigint) * 10 + 5) as label_at, number % 3 = 0 as churned "
            f"from range({labels}) as _(number)) to '{root / 'labels.parquet'}' (format parquet)"
        )


def train(root: Path, memory_limit: str | None = None) -> float:
    """The seconds of `fsync train`, its Python loaded."""
    from fsync.compile import plan_project
    from fsync.spec.project import open_project
    from fsync.training import training_set, write_training_set
    from fsync.warehouse.duckdb import Warehouse
    from fsync.warehouse.profile import read_profile

    project = open_project(root)
    plan = plan_project(project)
    features = list(online.FEATURES)
    started = time.perf_counter()
    with Warehouse(read_profile(project)) as warehouse:
        if memory_limit is not None:
            warehouse.limit_memory(memory_limit)
        asked = training_set(warehouse, plan, str(root / "labels.parquet"), "label_at", features)
        write_training_set(warehouse, asked, root / "fsync.parquet")
    return time.perf_counter() - started


def by_hand(root: Path, name: str, order: str) -> float:
    """The seconds of a query from bench/sql into a Parquet file."""
    query = (Path(__file__).parent / "sql" / f"{name}.sql").read_text()
    if order == "in order":
        query += "order by label_id"
    started = time.perf_counter()
    with duckdb.connect(str(root / online.FILE), read_only=True) as connection:
        connection.execute("set enable_progress_bar = false")
        connection.execute(f"create temp view labels as from '{root / 'labels.parquet'}'")
        connection.execute(f"copy ({query}) to '{root / name}.parquet' (format parquet)")
    return time.perf_counter() - started


def assert_same(root: Path, other: str, order: str) -> None:
    with duckdb.connect() as connection:
        if order == "in order":
            pairs = f"'{root / 'fsync.parquet'}' as ours positional join '{root / other}' as theirs"
            query = f"select count(*) from {pairs} where ours.label_id <> theirs.label_id"
            ((moved,),) = connection.execute(query).fetchall()
            assert moved == 0, f"{moved} rows of fsync.parquet stand elsewhere in {other}"
        for left, right in (("fsync.parquet", other), (other, "fsync.parquet")):
            query = f"select count(*) from (from '{root / left}' except all from '{root / right}')"
            ((more,),) = connection.execute(query).fetchall()
            assert more == 0, f"{left} has {more} rows that {right} has not"


def assert_like_feast(root: Path) -> None:
    """The same values for every label of an entity that is known; where there is none, Feast has NULL."""
    with duckdb.connect() as connection:
        connection.execute(f"create view ours as from '{root / 'fsync.parquet'}'")
        connection.execute(f"create view theirs as from '{root / 'feast.parquet'}'")
        differs = " or ".join(
            f"cast(ours.{name} as varchar) is distinct from cast(theirs.{name} as varchar)"
            for name in ("orders_7d", "orders_30d", "orders_ever", "last_channel", "last_member")
        )
        ((count, wrong),) = connection.execute(
            f"select count(*), count(*) filter (where theirs.orders_ever is not null and ({differs})) "
            "from ours join theirs using (label_id)"
        ).fetchall()
        ((labels,),) = connection.execute("select count(*) from ours").fetchall()
    assert count == labels, f"Feast has {count} of {labels} labels"
    assert wrong == 0, f"{wrong} of {labels} labels have other values in Feast"


if __name__ == "__main__":
    main()
