"""fsync in somebody else's dbt project, which gets the macros as a package."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import yaml

from tests.conftest import ROOT, Ended

SOURCE = """\
models:
  - name: clicks
    config: {event_time: at_time}
    columns:
      - {name: id, data_type: integer, data_tests: [unique]}
      - {name: who, data_type: text}
      - {name: at_time, data_type: timestamp}
"""
SPEC = """\
name: clicks_30d
entity: who
source: clicks
transformation: window_count(30d)
owner: me
"""
#: beside one event, two without an entity, one of them without a time as well, and one without a time
LEAKY = """\
select 1 as id, 'Ann' as who, cast('2026-11-01' as timestamp) as at_time
union all select 2, null, timestamp '2026-11-01'
union all select 3, null, null
union all select 4, 'Bob', null
"""


def test_a_project_of_another_name_needs_the_package_and_nothing_else(
    tmp_path: Path, fsync: Callable[..., Ended]
) -> None:
    files = {
        "dbt_project.yml": "name: shop\nprofile: fsync\n",
        "profiles.yml": (ROOT / "profiles.yml").read_text(),
        "packages.yml": yaml.safe_dump({"packages": [{"local": str(ROOT / "macros")}]}),
        "models/clicks.yml": SOURCE,
        "models/clicks.sql": "select 1 as id, 'Ann' as who, cast('2026-11-01' as timestamp) as at_time",
        "feature_specs/clicks_30d.yml": SPEC,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    without = fsync("build", "--project-dir", tmp_path)
    assert (without.code, "dbt deps" in without.err) == (2, True)
    dbt = Path(sys.executable).parent / "dbt"
    subprocess.run([dbt, "deps", "--quiet", "--profiles-dir", "."], cwd=tmp_path, check=True)
    assert fsync("build", "--project-dir", tmp_path).code == 0
    (tmp_path / "models/clicks.sql").write_text(LEAKY)
    again = fsync("build", "--project-dir", tmp_path)
    assert "who__clicks left out 2 events without an entity and 1 without a time" in again.err
    told = json.loads(fsync("build", "--project-dir", tmp_path, "--json").out)["views"][0]
    assert (told["events"], told["without_entity"], told["without_time"], told["is_incremental"]) == (1, 2, 1, True)
    own = [path.name for path in (tmp_path / "macros").iterdir()]
    assert own == ["fsync_features.sql"], "the other macros stay in their package"
    assert fsync("push", "--as-of", "2026-11-02", "--project-dir", tmp_path).code == 0
    got = fsync("get", "who__clicks", "Ann", "--at", "2026-11-02", "--project-dir", tmp_path, "--json")
    assert json.loads(got.out)["features"] == {"clicks_30d": {"value": 1, "status": "ok"}}
