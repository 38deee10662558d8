"""Each folder is something that a team does not want, named after its code: specs, and the exact text a person reads.

*.yml          specs, put into feature_specs/ (staging.yml is dbt's YAML instead of the reference one's)
policy.yml     what stands under vars.fsync in dbt_project.yml
*.sql          models by hand
expected.txt   what `fsync check` prints (`pytest --bless` rewrites it: read it then)
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from fsync.check.governance import GOVERNANCE
from tests.conftest import Ended, project_of_specs, settings

HERE = Path(__file__).parent
CASES = sorted(folder.name for folder in HERE.iterdir() if any(folder.glob("*.yml")))
Fsync = Callable[..., Ended]


@pytest.mark.parametrize("case", CASES)
def test_a_finding_is_told_as_expected(case: str, tmp_path: Path, fsync: Fsync, bless: bool) -> None:
    project = project_of_specs(tmp_path, HERE / case)
    ended = fsync("check", "--project-dir", project)
    expected = HERE / case / "expected.txt"
    if bless:
        expected.write_text(ended.out)
    assert ended.out == expected.read_text()
    code = case.split(".")[0]
    assert f"[{code}]" in ended.out
    assert ended.code == (1 if "error[" in ended.out else 0)
    # whatever is an error stops a build before anything is written
    compiled = fsync("compile", "--project-dir", project)
    assert compiled.code == ended.code
    assert (project / "models/features").exists() == (ended.code == 0)


def test_there_is_a_case_of_every_check() -> None:
    assert {check.code for check in GOVERNANCE} <= {case.split(".")[0] for case in CASES}


def test_a_project_says_what_a_check_weighs(tmp_path: Path, fsync: Fsync) -> None:
    project = project_of_specs(tmp_path, HERE / "missing-description")
    policy = yaml.safe_load((HERE / "missing-description/policy.yml").read_text())
    for weight, code in (("warning", 0), ("error", 1), ("off", 0)):
        policy["checks"]["missing-description"] = weight
        (project / "dbt_project.yml").write_text(settings(policy))
        ended = fsync("check", "--project-dir", project)
        assert (ended.code, f"{weight}[missing-description]" in ended.out) == (code, weight != "off")
    policy["checks"]["missing-description"] = "warning"
    (project / "dbt_project.yml").write_text(settings(policy))
    assert fsync("check", "--strict", "--project-dir", project).code == 1


def test_compiling_tells_how_many_warnings_there_are(tmp_path: Path, fsync: Fsync) -> None:
    project = project_of_specs(tmp_path, HERE / "duplicate-feature")
    ended = fsync("compile", "--project-dir", project)
    assert ended.code == 0
    assert ended.err.endswith("; 1 warning: see `fsync check`\n")


def test_findings_for_programs(tmp_path: Path, fsync: Fsync) -> None:
    project = project_of_specs(tmp_path, HERE / "unknown-owner")
    (issue,) = json.loads(fsync("check", "--json", "--project-dir", project).out)["issues"]
    assert (issue["code"], issue["severity"], issue["file"], issue["line"]) == (
        "unknown-owner",
        "error",
        "feature_specs/spec.yml",
        5,
    )
    log = json.loads(fsync("check", "--format", "sarif", "--project-dir", project).out)
    assert (log["version"], len(log["runs"])) == ("2.1.0", 1)
    (result,) = log["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]
    assert (result["ruleId"], result["level"]) == ("unknown-owner", "error")
    assert place["artifactLocation"]["uri"] == "feature_specs/spec.yml"
    assert (place["region"]["startLine"], place["region"]["startColumn"]) == (5, 8)
    told = fsync("check", "--format", "github", "--project-dir", project)
    assert told.out.startswith("::error file=feature_specs/spec.yml,line=5,col=8,title=unknown-owner::")
    assert told.out.count("\n") == 1, "one line an issue: line breaks are escaped"
    assert told.code == 1


def test_faults_of_specs_come_before_findings(tmp_path: Path, fsync: Fsync) -> None:
    project = project_of_specs(tmp_path, HERE / "unknown-owner")
    spec = project / "feature_specs/spec.yml"
    spec.write_text(spec.read_text().replace("window_count(30d)", "window_count(30)"))
    ended = fsync("check", "--project-dir", project)
    assert ended.code == 2
    assert "error[wrong-arguments]" in ended.out
    assert "unknown-owner" not in ended.out
