"""Feast's side of bench/train.py: run by Feast's own Python, in an environment that `peer.py` makes.

    python feast_training.py HISTORY.parquet LABELS.parquet OUT.parquet

Joins labels with the rows of a feature view through the DuckDB offline store. Prints one JSON object.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path


def main(history: str, labels: str, out: str) -> None:
    import pandas as pd  # type: ignore[import-untyped,unused-ignore]  # of Feast's environment
    import pyarrow.parquet as pq
    from feast import Entity, FeatureStore, FeatureView, FileSource, RepoConfig

    names = [name for name in pq.read_schema(history).names if name not in ("user_id", "event_timestamp", "created")]
    user = Entity(name="user_id", join_keys=["user_id"])
    source = FileSource(path=history, timestamp_field="event_timestamp", created_timestamp_column="created")
    view = FeatureView(name="activity", entities=[user], ttl=timedelta(days=3650), source=source)
    with tempfile.TemporaryDirectory() as folder:
        store = FeatureStore(
            config=RepoConfig(
                project="bench",
                provider="local",
                registry=str(Path(folder) / "registry.db"),
                online_store={"type": "sqlite", "path": str(Path(folder) / "online.db")},
                offline_store={"type": "duckdb"},
                entity_key_serialization_version=3,
            )
        )
        store.apply([user, view])
        began = time.perf_counter()
        asked = pd.read_parquet(labels).rename(columns={"label_at": "event_timestamp"})
        asked["event_timestamp"] = asked["event_timestamp"].dt.tz_localize("UTC")
        joined = store.get_historical_features(asked, [f"activity:{name}" for name in names]).to_arrow()
        pq.write_table(joined, out)
        seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak_mib": peak}))


if __name__ == "__main__":
    main(*sys.argv[1:])
