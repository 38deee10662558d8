"""Somebody's dbt project adopts fsync: what is added, and that nothing else changes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
import yaml

from fsync import __version__
from tests.conftest import ROOT, Ended, copy_reference

Fsync = Callable[..., Ended]

#: as its owner wrote it: four spaces, comments, blank lines, an old variable that is commented out
SETTINGS = """\
# the shop's own project

name:    shop     # odd spacing
version: '1.0'
profile: fsync


vars:
    # how far back we look
    days:   30   # days
    nested:
        depth: "{{ env_var('DEPTH', '2') }}"
        # old: 1
# below the variables
models:
    shop: {+materialized: view}
"""
OWNERS = """\
    fsync:
      owners: ["*"]  # who may own features; "*" is anybody
"""
PACKAGES = """\
packages:
- local: ../other   # ours
#- local: ../gone
"""
CLICKS = """\
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
description: How often somebody clicked.
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A dbt project that has nothing of fsync's, in a folder with a space."""
    return write(
        tmp_path / "my shop", {"dbt_project.yml": "name: shop\nprofile: fsync\n", "models/one.sql": "select 1"}
    )


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text.encode())
    return folder


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def states(ended: Ended) -> dict[str, str]:
    return {step["what"]: step["state"] for step in json.loads(ended.out)["steps"]}


def test_a_project_adopts_fsync_and_builds(fsync: Fsync, tmp_path: Path) -> None:
    shop = write(
        tmp_path / "my shop",
        {
            "dbt_project.yml": SETTINGS.replace("\n", "\r\n"),
            "profiles.yml": (ROOT / "profiles.yml").read_text(),
            "packages.yml": PACKAGES,
            "models/clicks.yml": CLICKS,
            "models/clicks.sql": "select 1 as id, 'Ann' as who, timestamp '2026-11-01' as at_time",
        },
    )
    write(tmp_path / "other", {"dbt_project.yml": "name: other\n"})
    before = content(shop)

    dry = fsync("init", "--project-dir", shop, "--dry-run")
    assert (dry.code, dry.out, content(shop)) == (0, "", before)
    assert "would add  packages.yml" in dry.err

    first = fsync("init", "--project-dir", shop / "models")  # anywhere in the project
    assert (first.code, first.out) == (0, "")
    assert "dbt deps" in first.err
    after = content(shop)
    head, tail = SETTINGS.split("    # how far back")
    assert after["dbt_project.yml"].decode() == f"{head}{OWNERS}    # how far back{tail}".replace("\n", "\r\n")
    assert after["packages.yml"].decode() == PACKAGES.replace("packages:\n", "packages:\n- local: fsync_package\n")
    assert after["feature_specs/.gitkeep"] == b""
    macros = {name: (ROOT / "macros" / name).read_bytes() for name in content(ROOT / "macros")}
    vendored = content(shop / "fsync_package")
    vendored.pop(".digest")
    assert vendored == macros
    new = {"fsync_package/" + name for name in (*macros, ".digest")} | {"feature_specs/.gitkeep"}
    assert after.keys() - before.keys() == new
    assert {name for name in before if after[name] != before[name]} == {"dbt_project.yml", "packages.yml"}

    again = fsync("init", "--project-dir", shop, "--json")
    assert (again.code, content(shop)) == (0, after)
    assert set(states(again).values()) == {"there"}

    dbt = Path(sys.executable).parent / "dbt"
    subprocess.run([dbt, "deps", "--quiet", "--profiles-dir", "."], cwd=shop, check=True)
    write(shop, {"feature_specs/clicks_30d.yml": SPEC})
    built = fsync("build", "--project-dir", shop)
    assert built.code == 0, built.err
    with duckdb.connect(str(shop / "warehouse.duckdb"), read_only=True) as connection:
        rows = connection.execute("select who, clicks_30d, valid_from::date::text from who__clicks").fetchall()
    assert rows == [("Ann", 1, "2026-11-01"), ("Ann", 0, "2026-12-01")]
    doctor = fsync("doctor", "--project-dir", shop, "--json")
    assert (doctor.code, json.loads(doctor.out)["doubtful"]) == (0, 0), doctor.out
    built_once = content(shop)
    assert fsync("init", "--project-dir", shop).code == 0
    assert content(shop) == built_once


# ---------------------------------------------------------------- the edit of dbt_project.yml

_NAMED = "name: shop\nprofile: fsync\n"
_ADDED = 'fsync:\n    owners: ["*"]  # who may own features; "*" is anybody\n'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (_NAMED, f"{_NAMED}\nvars:\n  {_ADDED}"),
        (f"{_NAMED}# the end", f"{_NAMED}# the end\n\nvars:\n  {_ADDED}"),
        (f"\ufeff{_NAMED}", f"\ufeff{_NAMED}\nvars:\n  {_ADDED}"),
        (f"vars:  # none yet\n{_NAMED}", f"vars:  # none yet\n  {_ADDED}{_NAMED}"),
        (f"{_NAMED}vars:\n  a: 1", f"{_NAMED}vars:\n  {_ADDED}  a: 1"),
        (f"{_NAMED}t: |+\n  x\n\n\n", f"{_NAMED}t: |+\n  x\n\n\nvars:\n  {_ADDED}"),
        (
            f"{_NAMED}models:\n  shop:\n    # +tags: x\n",
            f"{_NAMED}models:\n  shop:\n    # +tags: x\n\nvars:\n  {_ADDED}",
        ),
    ],
)
def test_owners_are_added_and_all_else_stays(fsync: Fsync, shop: Path, before: str, after: str) -> None:
    write(shop, {"dbt_project.yml": before})
    assert fsync("init", "--project-dir", shop).code == 0
    assert (shop / "dbt_project.yml").read_bytes().decode() == after


@pytest.mark.parametrize(
    "settings",
    [
        f"{_NAMED}vars: {{days: 30}}\n",
        f"{_NAMED}vars: {{}}\n",
        "{name: shop, profile: fsync}\n",
        f"{_NAMED}x: &shared\n  a: 1\nvars: *shared\n",
        f"{_NAMED}vars: &shared\n  a: 1\nx: *shared\n",
        f"{_NAMED}x: &shared\n  a: 1\nvars:\n  <<: *shared\n  b: 2\n",
        f"{_NAMED}vars:\n  - a\n",
        f"{_NAMED}vars: \"{{{{ env_var('VARS') }}}}\"\n",
        f"{_NAMED}vars:\n  a: 1\nvars:\n  b: 2\n",
        f"{_NAMED}...\n",
        f"{_NAMED}text: |\n  a line without an end",
    ],
)
def test_what_cannot_be_edited_safely_is_left_to_a_person(fsync: Fsync, shop: Path, settings: str) -> None:
    write(shop, {"dbt_project.yml": settings})
    ended = fsync("init", "--project-dir", shop)
    assert ended.code == 1
    assert "by hand" in ended.err
    assert 'owners: ["*"]' in ended.err
    assert (shop / "dbt_project.yml").read_text() == settings
    assert (shop / "fsync_package/dbt_project.yml").is_file(), "all else is done"
    asked = fsync("init", "--project-dir", shop, "--json")
    report = json.loads(asked.out)
    assert (asked.code, report["complete"], states(asked)["owners"]) == (1, False, "by hand")
    (add,) = [step["add"] for step in report["steps"] if step["add"]]
    assert yaml.safe_load(add) == {"vars": {"fsync": {"owners": ["*"]}}}


@pytest.mark.parametrize("variables", ["vars: {fsync: {owners: [me]}}\n", "vars:\n  fsync:\n    owners: [me]\n"])
def test_owners_that_are_there_stay(fsync: Fsync, shop: Path, variables: str) -> None:
    write(shop, {"dbt_project.yml": _NAMED + variables})
    ended = fsync("init", "--project-dir", shop, "--json")
    assert (ended.code, states(ended)["owners"]) == (0, "there")
    assert (shop / "dbt_project.yml").read_text() == _NAMED + variables


def test_the_rights_of_a_file_stay_and_so_does_a_link(fsync: Fsync, shop: Path) -> None:
    shutil.move(shop / "dbt_project.yml", shop / "real.yml")
    (shop / "real.yml").chmod(0o640)
    (shop / "dbt_project.yml").symlink_to("real.yml")
    assert fsync("init", "--project-dir", shop).code == 0
    assert (shop / "dbt_project.yml").is_symlink()
    assert "owners" in (shop / "real.yml").read_text()
    assert (shop / "real.yml").stat().st_mode & 0o777 == 0o640


# ---------------------------------------------------------------- the package's entry


def test_dependencies_yml_is_added_to_where_dbt_reads_packages_from_it(fsync: Fsync, shop: Path) -> None:
    write(shop, {"dependencies.yml": "projects:\n  - name: core\npackages:\n  - local: ../other\n"})
    assert fsync("init", "--project-dir", shop).code == 0
    assert not (shop / "packages.yml").exists()
    expected = "projects:\n  - name: core\npackages:\n  - local: fsync_package\n  - local: ../other\n"
    assert (shop / "dependencies.yml").read_text() == expected


def test_dependencies_yml_without_packages_is_left_alone(fsync: Fsync, shop: Path) -> None:
    write(shop, {"dependencies.yml": "projects:\n  - name: core\n"})
    assert fsync("init", "--project-dir", shop).code == 0
    assert (shop / "packages.yml").read_text() == "packages:\n  - local: fsync_package\n"
    assert (shop / "dependencies.yml").read_text() == "projects:\n  - name: core\n"


@pytest.mark.parametrize(
    "packages", ["packages: [{local: ../other}]\n", "packages: []\n", "a: {\n", "packages: !!bool x\n"]
)
def test_packages_that_cannot_be_added_to_are_left_to_a_person(fsync: Fsync, shop: Path, packages: str) -> None:
    write(shop, {"packages.yml": packages})
    ended = fsync("init", "--project-dir", shop)
    assert (ended.code, "- local: fsync_package" in ended.err) == (1, True)
    assert (shop / "packages.yml").read_text() == packages


@pytest.mark.parametrize(
    "entry",
    [
        "git: https://host/data/fsync.git",
        "git: git@host:data/fsync",
        "{git: 'https://host/data/mirror', subdirectory: macros}",
        "local: ../elsewhere",
        "package: somebody/fsync",
    ],
)
def test_an_entry_of_whatever_place_is_left_alone(fsync: Fsync, shop: Path, entry: str) -> None:
    copy_reference(shop.parent, ("macros",)).joinpath("macros").rename(shop.parent / "elsewhere")
    packages = f"packages:\n  - {entry}\n"
    write(shop, {"packages.yml": packages})
    for arguments in ([], ["--git", "https://host/other.git"]):
        ended = fsync("init", "--project-dir", shop, *arguments, "--json")
        assert (ended.code, states(ended)["package"], "macros" in states(ended)) == (0, "there", False)
    assert (shop / "packages.yml").read_text() == packages
    assert not (shop / "fsync_package").exists()


def test_a_package_that_dbt_knows_by_another_name_is_not_ours(fsync: Fsync, shop: Path) -> None:
    entry = "{git: 'https://host/others', subdirectory: macros}"
    lock = "packages:\n  - {git: 'https://host/others', name: others, subdirectory: macros, revision: abc}\n"
    write(shop, {"packages.yml": f"packages:\n  - {entry}\n", "package-lock.yml": lock})
    assert fsync("init", "--project-dir", shop).code == 0
    assert (shop / "packages.yml").read_text() == f"packages:\n  - local: fsync_package\n  - {entry}\n"


def test_macros_from_git(fsync: Fsync, shop: Path) -> None:
    arguments = ("init", "--project-dir", shop, "--git", "https://host/data/warehouse.git", "--revision", "1.10")
    assert fsync(*arguments).code == 0
    entry = {"git": "https://host/data/warehouse.git", "subdirectory": "macros", "revision": "1.10"}
    assert yaml.safe_load((shop / "packages.yml").read_text()) == {"packages": [entry]}, "1.10 is no number"
    assert not (shop / "fsync_package").exists()
    once = content(shop)
    again = fsync(*arguments, "--json")
    assert (set(states(again).values()), content(shop)) == ({"there"}, once)
    without = fsync("init", "--project-dir", shop, "--revision", "1.10")
    assert (without.code, "--git" in without.err) == (2, True)


def test_a_password_does_not_go_into_a_file_that_is_committed(fsync: Fsync, shop: Path) -> None:
    before = content(shop)
    ended = fsync("init", "--project-dir", shop, "--git", "https://me:hunter2@host/fsync.git")
    assert (ended.code, content(shop)) == (2, before)
    assert "hunter2" not in ended.err
    write(shop, {"packages.yml": "packages:\n  - git: https://me:hunter2@host/fsync.git\n"})
    told = fsync("init", "--project-dir", shop)
    assert (told.code, "hunter2" in told.err, "host/fsync.git" in told.err) == (0, False, True)


# ---------------------------------------------------------------- the vendored macros


@pytest.fixture
def adopted(fsync: Fsync, shop: Path) -> Path:
    assert fsync("init", "--project-dir", shop).code == 0
    return shop


def _of_version(folder: Path, version: str) -> None:
    settings = folder / "fsync_package/dbt_project.yml"
    settings.write_text(settings.read_text().replace(f"version: {__version__}", f"version: {version}"))


def test_macros_of_an_older_fsync_are_refreshed(fsync: Fsync, adopted: Path) -> None:
    whole = content(adopted)
    write(adopted / "fsync_package", {"by_hand/frames.sql": "old", "gone.sql": "{% macro gone() %}{% endmacro %}"})
    write(adopted / "fsync_package", {"NOTES.md": "ours"})
    _of_version(adopted, "0.0.9")
    old = content(adopted)
    assert "instead of those of 0.0.9" in fsync("init", "--project-dir", adopted, "--dry-run").err
    assert content(adopted) == old
    ended = fsync("init", "--project-dir", adopted, "--json")
    assert (ended.code, states(ended)["macros"], states(ended)["package"]) == (0, "added", "there")
    assert content(adopted) == {**whole, "fsync_package/NOTES.md": b"ours"}


def test_macros_of_another_build_are_refreshed_unless_somebody_has_changed_them(
    fsync: Fsync, shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The version is the same: what was recorded when they were put there tells."""
    other = copy_reference(tmp_path / "other build", ("macros",))
    write(other, {"macros/by_hand/frames.sql": "older", "macros/gone.sql": ""})
    with monkeypatch.context() as patch:
        patch.setattr("fsync.adopting.package.find_reference", lambda: other)
        assert fsync("init", "--project-dir", shop).code == 0
    before = content(shop)
    crlf = (shop / "fsync_package/_macros.yml").read_bytes().replace(b"\n", b"\r\n")
    (shop / "fsync_package/_macros.yml").write_bytes(crlf)  # as git may check it out; nobody's change
    assert "instead of another build" in fsync("init", "--project-dir", shop).err
    after = content(shop)
    assert before.keys() - after.keys() == {"fsync_package/gone.sql"}
    assert after["fsync_package/by_hand/frames.sql"] == (ROOT / "macros/by_hand/frames.sql").read_bytes()
    assert fsync("init", "--project-dir", shop).code == 0
    assert content(shop) == after


@pytest.mark.parametrize("version", [__version__, "99.0.0"])
def test_macros_that_are_not_older_stay_even_where_they_were_changed(fsync: Fsync, adopted: Path, version: str) -> None:
    write(adopted, {"fsync_package/by_hand/frames.sql": "mine"})
    _of_version(adopted, version)
    before = content(adopted)
    ended = fsync("init", "--project-dir", adopted)
    assert (ended.code, content(adopted)) == (0, before)
    assert ("have been changed" if version == __version__ else "newer than") in ended.err


def test_a_copy_that_was_ended_goes_on(fsync: Fsync, adopted: Path) -> None:
    whole = content(adopted)
    (adopted / "fsync_package/dbt_project.yml").unlink()  # the last that is written
    write(adopted, {"fsync_package/by_hand/frames.sql": "ha", "fsync_package/by_hand/.interval.sql.new": "l"})
    (adopted / "packages.yml").unlink()
    assert fsync("init", "--project-dir", adopted).code == 0
    assert content(adopted) == whole


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"fsync_package/mine.sql": "select 1"}, "is not fsync's"),
        ({"fsync_package": "a file"}, "is not fsync's"),
        ({"feature_specs": "a file"}, "feature_specs is a file"),
        ({"packages.yml/x": ""}, "packages.yml"),
        ({"dbt_project.yml": 'name: shop\nmodel-paths: ["."]\n'}, "model-paths"),
        ({"dbt_project.yml": 'name: shop\nmacro-paths: ["macros", "./fsync_package/../"]\n'}, "macro-paths"),
        ({"dbt_project.yml": "name: fsync\n"}, "dbt project named fsync"),
    ],
)
def test_what_stands_in_the_way_is_2_and_nothing_is_written(
    fsync: Fsync, shop: Path, files: dict[str, str], message: str
) -> None:
    write(shop, files)
    before = content(shop)
    ended = fsync("init", "--project-dir", shop)
    assert (ended.code, content(shop)) == (2, before)
    assert message in ended.err
    assert "Traceback" not in ended.err


def test_in_the_vendored_package_itself_it_is_told_to_go_elsewhere(fsync: Fsync, adopted: Path) -> None:
    before = content(adopted)
    ended = fsync("init", "--project-dir", adopted / "fsync_package/by_hand")
    assert (ended.code, content(adopted)) == (2, before)
    assert "the project around it" in ended.err


def test_fsync_itself_has_it_all(fsync: Fsync, tmp_path: Path) -> None:
    folder = copy_reference(tmp_path / "clone", ("macros", "dbt_project.yml"))
    before = content(folder)
    ended = fsync("init", "--project-dir", folder)
    assert (ended.code, content(folder)) == (0, before)
    assert "nothing to do" in ended.err
    assert json.loads(fsync("init", "--project-dir", folder, "--json").out)["steps"] == []


def test_outside_a_project_it_is_2(fsync: Fsync, tmp_path: Path) -> None:
    ended = fsync("init", "--project-dir", tmp_path)
    assert (ended.code, "there is no dbt_project.yml" in ended.err, os.listdir(tmp_path)) == (2, True, [])
