"""Every fault that `fsync doctor` knows, provoked; and a warehouse without one."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fsync import __version__
from tests.conftest import BARE, ROOT, Ended, copy_reference
from tests.journey.test_init import write
from tests.servers import Server, free_port, redis_server

Fsync = Callable[..., Ended]


@dataclass(frozen=True)
class Told:
    """What the doctor said: its exit code, and the findings by examination."""

    code: int
    findings: dict[str, list[dict[str, str | None]]]
    text: str

    def only(self, what: str) -> tuple[str, str, str]:
        """State, message and mend of an examination's only finding."""
        (found,) = self.findings[what]
        return str(found["state"]), str(found["message"]), str(found["mend"])


@pytest.fixture
def doctor(fsync: Fsync) -> Callable[..., Told]:
    def call(project: Path, *arguments: str | Path) -> Told:
        ended = fsync("doctor", "--project-dir", project, "--json", *arguments)
        assert "Traceback" not in ended.err
        findings: dict[str, list[dict[str, str | None]]] = {}
        for finding in json.loads(ended.out)["findings"]:
            findings.setdefault(finding["what"], []).append(finding)
        return Told(ended.code, findings, ended.out + ended.err)

    return call


Doctor = Callable[..., Told]


@pytest.fixture
def project(warehouse: Path, tmp_path: Path) -> Path:
    """A built project that a test may spoil."""
    return Path(shutil.copytree(warehouse, tmp_path / "my project"))


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A project without specs, which costs little to look at."""
    return copy_reference(tmp_path / "bare", BARE)


def test_a_built_warehouse_is_fine(fsync: Fsync, doctor: Doctor, warehouse: Path, redis_url: str) -> None:
    before = {path: path.stat().st_mtime_ns for path in warehouse.rglob("*")}
    for online in ([], ["--online", redis_url]):
        told = doctor(warehouse, *online)
        assert {finding["state"] for findings in told.findings.values() for finding in findings} == {"fine"}, told.text
        assert told.code == 0
    ended = fsync("doctor", "--project-dir", warehouse)
    assert (ended.code, "0 broken, 0 doubtful" in ended.err) == (0, True)
    assert [line[:9].strip() for line in ended.out.splitlines()] == ["fine"] * 8
    assert before == {path: path.stat().st_mtime_ns for path in warehouse.rglob("*")}, "looking changes nothing"


def test_without_a_project_the_rest_is_still_looked_at(doctor: Doctor, tmp_path: Path, redis_url: str) -> None:
    told = doctor(tmp_path, "--online", redis_url)
    assert told.code == 1
    assert told.only("project")[:2] == ("broken", f"there is no dbt_project.yml in {tmp_path} or above it")
    assert told.only("libraries")[0] == told.only("online store")[0] == "fine"
    for what in ("package", "profile", "specs", "warehouse", "tables"):
        assert told.only(what)[:2] == ("skipped", "there is no dbt project to look at")


# ---------------------------------------------------------------- libraries


def _installed(folder: Path, name: str, version: str) -> None:
    write(
        folder, {f"{name}-{version}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"}
    )


def test_libraries_of_other_versions_than_fsync_needs(
    doctor: Doctor, bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _installed(tmp_path, "dbt_duckdb", "0.9.0")
    _installed(tmp_path, "sqlglot", "31.0.0")
    monkeypatch.syspath_prepend(str(tmp_path))
    told = doctor(bare)
    assert told.code == 1
    found = {str(finding["message"]): finding["mend"] for finding in told.findings["libraries"]}
    assert found == {
        "dbt-duckdb 0.9.0 is installed, and fsync needs <2,>=1.10": "pip install 'dbt-duckdb<2,>=1.10'",
        "sqlglot 31.0.0 is installed, and fsync needs <31,>=30": "pip install 'sqlglot<31,>=30'",
    }


def test_a_missing_adapter(doctor: Doctor, bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    metadata = f"Metadata-Version: 2.1\nName: fsync\nVersion: {__version__}\nRequires-Dist: dbt-adapter-of-nobody>=1\n"
    write(tmp_path, {f"fsync-{__version__}.dist-info/METADATA": metadata})
    monkeypatch.syspath_prepend(str(tmp_path))
    told = doctor(bare)
    assert told.only("libraries") == (
        "broken",
        "dbt-adapter-of-nobody is not installed",
        "pip install 'dbt-adapter-of-nobody>=1'",
    )


# ---------------------------------------------------------------- the dbt package


def test_the_package_from_missing_to_outdated(
    fsync: Fsync, doctor: Doctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"dbt_project.yml": "name: shop\nprofile: fsync\n", "profiles.yml": (ROOT / "profiles.yml").read_text()}
    shop = write(tmp_path / "my shop", files)
    told = doctor(shop)
    assert (told.code, told.only("package")) == (
        1,
        ("broken", "the project's packages do not name fsync's", "run `fsync init`"),
    )
    assert told.only("specs")[0] == "doubtful"
    assert fsync("init", "--project-dir", shop).code == 0
    assert doctor(shop).only("package") == (
        "broken",
        "packages.yml names fsync's package (local: fsync_package), and it is not installed",
        "run `dbt deps`",
    )
    dbt = Path(sys.executable).parent / "dbt"
    subprocess.run([dbt, "deps", "--quiet", "--profiles-dir", "."], cwd=shop, check=True)
    told = doctor(shop)
    assert (told.code, told.only("package")[0]) == (0, "fine")

    with monkeypatch.context() as patch:  # Python has got another build of the same version
        other = copy_reference(tmp_path / "other build", ("macros",))
        (other / "macros/by_hand/frames.sql").write_text("newer")
        patch.setattr("fsync.adopting.package.find_reference", lambda: other)
        told = doctor(shop)
        state, message, mend = told.only("package")
        assert (told.code, state, mend) == (1, "broken", "run `fsync init`, then `dbt deps`")
        assert "of another build" in message

    settings = shop / "fsync_package/dbt_project.yml"
    current = settings.read_text()
    settings.write_text(current.replace(f"version: {__version__}", "version: 0.0.9"))
    told = doctor(shop)
    assert (told.code, told.only("package")) == (
        1,
        (
            "broken",
            f"the macros that dbt has are of fsync 0.0.9, and this is fsync {__version__}",
            "run `fsync init`, then `dbt deps`",
        ),
    )
    settings.write_text(current.replace(f"version: {__version__}", "version: 99.0.0"))
    assert doctor(shop).only("package")[2] == "install fsync 99.0.0 in Python"
    settings.write_text(current)
    assert doctor(shop).only("package")[0] == "fine"
    (shop / "fsync_package/by_hand/frames.sql").write_text("mine")
    told = doctor(shop)
    assert (told.code, told.only("package")[0]) == (0, "doubtful")

    # where links cannot be made, dbt copies the files, and the copy can be the one that is old
    installed = shop / "dbt_packages/fsync"
    installed.unlink()
    shutil.copytree(shop / "fsync_package", installed)
    (installed / "dbt_project.yml").write_text(current.replace(f"version: {__version__}", "version: 0.0.9"))
    assert doctor(shop).only("package")[2] == "run `dbt deps`"
    (shop / "fsync_package/by_hand/frames.sql").write_bytes((ROOT / "macros/by_hand/frames.sql").read_bytes())
    (installed / "dbt_project.yml").write_text(current)
    assert doctor(shop).only("package")[2] == "run `dbt deps`"  # of the same version, with the line of mine in it
    (installed / "dbt_project.yml").write_text(current.replace(f"version: {__version__}", "version: 0.0.9"))
    # and another place than ours is not ours to refresh
    (shop / "packages.yml").write_text("packages:\n  - {git: 'https://me:hunter2@host/fsync', revision: 0.0.9}\n")
    told = doctor(shop)
    assert told.only("package")[2] == f"let the entry in packages.yml name fsync {__version__}, then run `dbt deps`"
    shutil.rmtree(installed)
    assert doctor(shop).only("package")[2] == "run `dbt deps`"
    assert "hunter2" not in told.text + doctor(shop).text


# ---------------------------------------------------------------- dbt's profile


def _profile(project: Path, old: str, new: str) -> None:
    text = (project / "profiles.yml").read_text()
    assert old in text
    (project / "profiles.yml").write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "state", "message"),
    [
        ("keep_open: false", "", "broken", "keeps the warehouse open"),
        ("keep_open: false", "keep_open: true", "broken", "keeps the warehouse open"),
        ("keep_open: false", "keep_open: \"{{ env_var('OPEN') | as_bool }}\"", "doubtful", "cannot be told"),
        ("settings: {TimeZone: UTC}", "", "broken", "are UTC"),
        ("settings: {TimeZone: UTC}", "settings: {timezone: Europe/Berlin}", "broken", "are UTC"),
        ("connect_attempts: 2, ", "", "broken", "a build fails if another process"),
        ("[IOException]", "[HTTPException]", "broken", "a build fails if another process"),
        ("config_options:", "other_options:", "doubtful", "older DuckDB clients"),
        ("threads: 2", "motherduck_token: hunter2", "broken", "dev.motherduck_token has a secret in clear"),
        ("threads: 2", "password: hunter2", "broken", "dev.password has a secret in clear"),
        ("threads: 2", "secrets: [{type: s3, secret: hunter2}]", "broken", "dev.secrets.secret has a secret in clear"),
        ("threads: 2", "attach: [{path: 'postgres://me:hunter2@x/y'}]", "broken", "dev.attach.path has a secret"),
        ("outputs:", "outputs:\n    prod: {type: x, password: hunter2}", "broken", "prod.password has a secret"),
    ],
)
def test_an_unsafe_profile(doctor: Doctor, bare: Path, old: str, new: str, state: str, message: str) -> None:
    _profile(bare, old, new)
    told = doctor(bare)
    found, said, mend = told.only("profile")
    assert (found, message in said, mend != "None") == (state, True, True), said
    assert told.code == (1 if state == "broken" else 0)
    assert "hunter2" not in told.text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("settings: {TimeZone: UTC}", "settings: {timezone: utc}"),
        (", retryable_exceptions: [IOException]", ""),
        ("threads: 2", "password: \"{{ env_var('DBT_ENV_SECRET_X') }}\""),
        ("threads: 2", "secrets: [{type: s3, provider: credential_chain}]"),
        ("threads: 2", "attach: [{path: 'http://localhost:8080/x.duckdb'}]"),
    ],
)
def test_a_safe_profile_in_other_words(doctor: Doctor, bare: Path, old: str, new: str) -> None:
    _profile(bare, old, new)
    assert doctor(bare).only("profile")[0] == "fine"


def test_every_unsafe_setting_is_said_at_once(doctor: Doctor, bare: Path) -> None:
    write(bare, {"profiles.yml": "fsync:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: x.duckdb}\n"})
    assert [finding["state"] for finding in doctor(bare).findings["profile"]] == ["broken"] * 3 + ["doubtful"]


def test_a_secret_in_ones_own_home_is_only_doubtful(
    doctor: Doctor, bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _profile(bare, "threads: 2", "password: hunter2")
    (tmp_path / ".dbt").mkdir()
    shutil.move(bare / "profiles.yml", tmp_path / ".dbt/profiles.yml")
    monkeypatch.setenv("HOME", str(tmp_path))
    told = doctor(bare)
    assert (told.code, told.only("profile")[0], "hunter2" in told.text) == (0, "doubtful", False)


@pytest.mark.parametrize(
    ("profiles", "message"),
    [
        (None, "there is no profiles.yml"),
        ("other: {}\n", "has no profile 'fsync'"),
        ("fsync:\n  password: @hunter2\n", "is not YAML: see its line 2"),
        ("fsync:\n  password: *hunter2\n", "is not YAML: see its line 2"),
        ("fsync: {target: prod, outputs: {dev: {type: duckdb}}}\n", "no target 'prod'"),
        ("fsync: {target: dev, outputs: {dev: {type: postgres, password: hunter2}}}\n", "is of type 'postgres'"),
        (
            "fsync: {target: dev, outputs: {dev: {type: duckdb, path: 'md:x?motherduck_token=hunter2'}}}\n",
            "md:x",
        ),
    ],
)
def test_a_profile_that_names_no_warehouse(
    doctor: Doctor, bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, profiles: str | None, message: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (bare / "profiles.yml").unlink()
    if profiles is not None:
        write(bare, {"profiles.yml": profiles})
    told = doctor(bare)
    state, said, _ = told.only("profile")
    assert (told.code, state, message in said) == (1, "broken", True), said
    assert told.only("warehouse")[0] == told.only("tables")[0] == "skipped"
    assert "hunter2" not in told.text


def test_the_target_that_is_asked_for(doctor: Doctor, bare: Path) -> None:
    state, message, mend = doctor(bare, "--target", "prod").only("profile")
    assert (state, "no target 'prod'" in message, mend) == ("broken", True, "it has: dev")


# ---------------------------------------------------------------- the warehouse


@pytest.fixture
def locked(project: Path) -> Iterator[int]:
    """Another process holds the warehouse; its process id."""
    hold = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", hold, str(project / "warehouse.duckdb")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        yield holder.pid
        holder.terminate()


def test_a_locked_warehouse_names_the_process(doctor: Doctor, project: Path, locked: int) -> None:
    told = doctor(project)
    state, message, mend = told.only("warehouse")
    assert (told.code, state, str(locked) in message, "let it end" in mend) == (1, "broken", True, True)
    assert told.only("tables")[0] == "skipped"


def test_a_warehouse_that_is_none(doctor: Doctor, project: Path) -> None:
    (project / "warehouse.duckdb").write_bytes(b"junk" * 5000)
    told = doctor(project)
    state, message, _ = told.only("warehouse")
    assert (told.code, state, "not a valid DuckDB database file" in message) == (1, "broken", True)


def test_a_warehouse_that_is_not_built_yet(doctor: Doctor, project: Path) -> None:
    (project / "warehouse.duckdb").unlink()
    told = doctor(project)
    assert (told.code, told.only("warehouse")[0], told.only("warehouse")[2]) == (0, "doubtful", "run `fsync build`")


@pytest.mark.skipif(sys.platform != "linux", reason="a folder that nobody can write to, root included")
def test_a_warehouse_that_cannot_be_written(doctor: Doctor, bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reasons = {
        "/proc/w.duckdb": "cannot be written to",
        "no/w.duckdb": "no is not there",
        "macros": "cannot be written",
    }
    for path, message in reasons.items():
        monkeypatch.setenv("FSYNC_WAREHOUSE", path)
        told = doctor(bare)
        found = told.findings["warehouse"][0]
        assert (told.code, found["state"], message in str(found["message"])) == (1, "broken", True), found


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_a_warehouse_file_that_cannot_be_written(doctor: Doctor, project: Path) -> None:
    (project / "warehouse.duckdb").chmod(0o444)
    assert doctor(project).findings["warehouse"][0]["state"] == "broken"


# ---------------------------------------------------------------- specs and tables


def test_broken_specs_are_told_with_their_places(doctor: Doctor, project: Path) -> None:
    spec = project / "feature_specs/user_30d_purchase_count.yml"
    spec.write_text(spec.read_text().replace("orders_stream", "orders_steam"))
    told = doctor(project)
    assert (told.code, {finding["state"] for finding in told.findings["specs"]}) == (1, {"broken"})
    found = {str(finding["message"]): str(finding["mend"]) for finding in told.findings["specs"]}
    place = "feature_specs/user_30d_purchase_count.yml:3: "
    (mend,) = [mend for message, mend in found.items() if message.startswith(place)]
    assert "did you mean 'orders_stream'?" in mend
    assert told.only("tables")[0] == "skipped"


def test_what_is_neither_compiled_nor_built_anew(doctor: Doctor, project: Path) -> None:
    spec = project / "feature_specs/user_30d_purchase_count.yml"
    spec.write_text(spec.read_text().replace("30d)", "31d)"))
    told = doctor(project)
    state, message, mend = told.only("specs")
    assert (told.code, state, mend) == (0, "doubtful", "run `fsync compile`")
    assert "models/features/user_id__orders_stream.sql" in message
    state, message, mend = told.only("tables")
    assert (state, "another version of its specs" in message, mend) == ("doubtful", True, "run `fsync build`")


# ---------------------------------------------------------------- the online store


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A Redis whose settings a test may change."""
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


def test_no_redis(doctor: Doctor, bare: Path) -> None:
    told = doctor(bare, "--online", f"redis://me:hunter2@127.0.0.1:{free_port()}/0")
    state, message, mend = told.only("online store")
    assert (told.code, state, "does not answer" in message, "is it running" in mend) == (1, "broken", True, True)
    assert "hunter2" not in told.text


def test_a_redis_that_refuses_the_password(doctor: Doctor, bare: Path, server: Server) -> None:
    client = server.client()
    client.config_set("requirepass", "right")
    try:
        for credentials in (":hunter2@", ""):
            told = doctor(bare, "--online", f"redis://{credentials}127.0.0.1:{server.port}/0")
            state, message, _ = told.only("online store")
            assert (told.code, state, "refuses the user or password" in message) == (1, "broken", True)
            assert "hunter2" not in told.text
        assert doctor(bare, "--online", f"redis://:right@127.0.0.1:{server.port}/0").only("online store")[0] == "fine"
    finally:
        client.config_set("requirepass", "")


def test_a_redis_that_evicts(doctor: Doctor, bare: Path, server: Server) -> None:
    client = server.client()
    client.config_set("maxmemory-policy", "allkeys-lru")
    assert doctor(bare, "--online", server.url).only("online store")[0] == "fine", "without a limit nothing is evicted"
    client.config_set("maxmemory", "100mb")
    try:
        told = doctor(bare, "--online", server.url)
        state, message, mend = told.only("online store")
        assert (told.code, state, "allkeys-lru" in message, "noeviction" in mend) == (1, "broken", True, True)
    finally:
        client.config_set("maxmemory", "0")


def test_a_redis_that_is_too_old(doctor: Doctor, bare: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    version = server.client().info("server")["redis_version"]
    monkeypatch.setattr("fsync.doctor.online.OLDEST", (99, 1))  # there is no older server at hand
    told = doctor(bare, "--online", server.url)
    state, message, _ = told.only("online store")
    assert (told.code, state) == (1, "broken")
    assert f"it is Redis {version}, and fsync needs 99.1" in message


@pytest.mark.parametrize(
    ("seconds", "state", "message"),
    [(5, "doubtful", "s ahead of the store's"), (-5, "doubtful", "s behind the store's"), (0.5, "fine", "answers")],
)
def test_another_clock_than_that_of_redis(
    doctor: Doctor,
    bare: Path,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    seconds: float,
    state: str,
    message: str,
) -> None:
    monkeypatch.setattr("fsync.doctor.online.now", lambda: int((time.time() + seconds) * 1000))
    told = doctor(bare, "--online", server.url)
    found, said, _ = told.only("online store")
    assert (told.code, found, message in said) == (0, state, True), said


def test_a_user_without_the_rights(doctor: Doctor, bare: Path, server: Server) -> None:
    client = server.client()
    text = (ROOT / "docs/ml-engineers.md").read_text()  # the rights that it says are needed
    for user in ("pusher", "reader"):
        rights = re.search(rf"^    {user} +(~fs:.*)$", text, re.MULTILINE)
        assert rights is not None
        client.execute_command("ACL", "SETUSER", user, "on", ">x", *rights[1].split())
    url = f"redis://{{}}:x@127.0.0.1:{server.port}/0"
    assert doctor(bare, "--online", url.format("pusher")).only("online store")[0] == "fine"
    state, _, mend = doctor(bare, "--online", url.format("reader")).only("online store")
    assert (state, "needs more rights" in mend) == ("broken", True)


@pytest.mark.parametrize("url", ["redis://me:hunter2@localhost:port", "mongodb://me:hunter2@x", "sqlite:///", "x"])
def test_a_url_that_is_none(doctor: Doctor, bare: Path, url: str) -> None:
    told = doctor(bare, "--online", url)
    assert (told.code, told.only("online store")[0], "hunter2" in told.text) == (1, "broken", False)


def test_an_embedded_store(doctor: Doctor, bare: Path) -> None:
    assert "not there yet" in doctor(bare).only("online store")[1]
    assert not (bare / "online.sqlite").exists()
    state, message, _ = doctor(bare, "--online", f"sqlite:///{bare}/nowhere/x.sqlite").only("online store")
    assert (state, "nowhere is not there" in message) == ("broken", True)
    (bare / "online.sqlite").write_bytes(b"junk" * 5000)
    told = doctor(bare)
    assert (told.code, told.only("online store")[0]) == (1, "broken")
