"""Feast's side of the online benchmarks: run by Feast's own Python, in an environment that `feast.py` makes.

    python feast_side.py PARQUET REDIS_PORT KEYS

Materializes the rows of a Parquet file into Redis, and reads keys back through the SDK. Prints one JSON object.
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def main(parquet: str, port: str, keys: str) -> None:
    from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig
    from feast.types import Bool, Float64, Int64, String, UnixTimestamp

    kinds = {
        "orders_7d": Int64,
        "orders_30d": Int64,
        "orders_ever": Int64,
        "spend_7d": Float64,
        "spend_30d": Float64,
        "mean_30d": Float64,
        "highest_30d": Float64,
        "last_channel": String,
        "last_member": Bool,
        "last_seen": UnixTimestamp,
    }
    user = Entity(name="user_id", join_keys=["user_id"])
    view = FeatureView(
        name="activity",
        entities=[user],
        ttl=timedelta(days=365),
        schema=[Field(name="user_id", dtype=Int64), *(Field(name=name, dtype=kind) for name, kind in kinds.items())],
        source=FileSource(path=parquet, timestamp_field="event_timestamp", created_timestamp_column="created"),
    )
    with tempfile.TemporaryDirectory() as folder:
        store = FeatureStore(
            config=RepoConfig(
                project="bench",
                provider="local",
                registry=str(Path(folder) / "registry.db"),
                online_store={"type": "redis", "connection_string": f"localhost:{port}"},
                offline_store={"type": "file"},
                entity_key_serialization_version=3,
            )
        )
        store.apply([user, view])
        began = time.perf_counter()
        store.materialize(NOW - timedelta(days=1), NOW + timedelta(days=1))
        seconds = time.perf_counter() - began
        names = [f"activity:{name}" for name in kinds]

        def read(numbers: list[int]) -> dict[str, Any]:
            found: dict[str, Any] = store.get_online_features(
                names, [{"user_id": number} for number in numbers]
            ).to_dict()
            return found

        answer = {
            "materialize": seconds,
            "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "one": timed(lambda turn: read([turn * 7919 % int(keys)])),
            "hundred": timed(lambda turn: read([(turn * 100 + number) * 7919 % int(keys) for number in range(100)])),
            "sample": read([0, 1, 2])["orders_ever"],
        }
    print(json.dumps(answer))


def timed(call: Any) -> dict[str, float]:
    """Seconds of a call: the median, and the 99th percentile."""
    for turn in range(20):
        call(turn)
    taken = []
    for turn in range(500):
        began = time.perf_counter()
        call(turn)
        taken.append(time.perf_counter() - began)
    taken.sort()
    return {"p50": statistics.median(taken), "p99": taken[int(len(taken) * 0.99)]}


if __name__ == "__main__":
    main(*sys.argv[1:])
