"""Who may read what: rules that a real Redis enforces, grants for dbt, and stores that may not hold a class."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
import yaml
from redis.exceptions import NoPermissionError

from fsync import wire
from fsync.read import Reader
from tests.conftest import Ended, copy_reference, settings
from tests.servers import Server, redis_server

Fsync = Callable[..., Ended]

POLICY = {
    "access": {
        "roles": {
            "windows_only": {"views": ["user_id__*"]},
            "personal": {"views": ["user_lifetime"], "classes": ["pii"]},
            "everything": {"classes": ["pii"]},
        }
    }
}
AS_OF = "1998-07-01"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A Redis whose users a test may change."""
    with redis_server(tmp_path_factory.mktemp("access")) as running:
        yield running


@pytest.fixture
def project(warehouse: Path, tmp_path: Path) -> Path:
    """The reference, in which what a customer spends in a lifetime is personal."""
    root = Path(shutil.copytree(warehouse, tmp_path / "a project"))
    (root / "dbt_project.yml").write_text(settings(POLICY))
    spec = root / "feature_specs/user_lifetime.yml"
    spec.write_text(spec.read_text().replace("pii: false", "pii: true"))
    return root


@pytest.fixture
def ruled(project: Path, server: Server, fsync: Fsync) -> Server:
    """The store with both views and the service, and users as `fsync access redis` says."""
    assert fsync("push", "--as-of", AS_OF, "--online", server.url, "--project-dir", project).code == 0
    ended = fsync("access", "redis", "--project-dir", project)
    assert ended.code == 0
    client = server.client()
    for rule in ended.out.splitlines():
        assert client.execute_command(*rule.split()) == b"OK"
        client.acl_setuser(rule.split()[2], enabled=True, passwords=["+secret"])
    return server


def _reader(server: Server, user: str) -> Reader:
    return Reader(f"redis://{user}:secret@127.0.0.1:{server.port}/0")


def _client(server: Server, user: str) -> redis.Redis:
    return redis.Redis(port=server.port, username=user, password="secret")


def test_a_user_without_the_role_cannot_read_the_views_keys(ruled: Server) -> None:
    views = {"user_lifetime": b"fs:{*}:user_lifetime:*", "user_id__orders_stream": b"fs:{*}:user_id__orders_stream:*"}
    keys = {view: ruled.client().keys(pattern)[0] for view, pattern in views.items()}
    metas = {view: wire.meta_key("fs", view) for view in views}
    may = {
        "windows_only": {"user_id__orders_stream"},
        "personal": {"user_lifetime"},
        "everything": {"user_lifetime", "user_id__orders_stream"},
    }
    for user, allowed in may.items():
        for view in views:
            for key in (keys[view], metas[view]):
                if view in allowed:
                    assert _client(ruled, user).get(key) is not None
                else:
                    with pytest.raises(NoPermissionError):
                        _client(ruled, user).get(key)
        for forbidden in (["set", keys[view], "1"], ["del", keys[view]], ["keys", "*"], ["scan", "0"], ["flushall"]):
            with pytest.raises(NoPermissionError):
                _client(ruled, user).execute_command(*forbidden)


def test_a_reader_reads_what_its_role_may(ruled: Server) -> None:
    with _reader(ruled, "personal") as reader:
        assert str(reader.read("user_lifetime", 42, at=AS_OF)["user_lifetime_spend"]) == "38.32"
    with _reader(ruled, "everything") as reader:
        assert reader.read_service("churn_model", [42], at=AS_OF).to_dicts()[0]["user_30d_purchase_count"] == 0


def test_what_a_role_may_not_read_is_told_without_a_traceback(ruled: Server, fsync: Fsync, project: Path) -> None:
    url = f"redis://windows_only:secret@127.0.0.1:{ruled.port}/0"
    ended = fsync("get", "user_lifetime", "42", "--at", AS_OF, "--online", url, "--project-dir", project)
    assert ended.code == 3
    assert "Traceback" not in ended.err
    assert "secret" not in ended.err
    assert "permission" in ended.err.lower()


def test_a_service_is_for_those_who_may_read_all_of_it(project: Path, fsync: Fsync) -> None:
    rules = json.loads(fsync("access", "redis", "--json", "--prefix", "s*op", "--project-dir", project).out)["rules"]
    keys = {rule.split()[2]: [word for word in rule.split() if word.startswith("~")] for rule in rules}
    lifetime = [r"~s\*op:{*}:user_lifetime:????????", r"~s\*op:view:user_lifetime"]
    windows = [r"~s\*op:{*}:user_id__orders_stream:????????", r"~s\*op:view:user_id__orders_stream"]
    assert keys == {
        "windows_only": windows,
        "personal": lifetime,
        "everything": [*windows, *lifetime, r"~s\*op:service:churn_model"],
    }


def test_grants_are_dbts_configuration(project: Path, fsync: Fsync) -> None:
    ended = fsync("access", "sql", "--adapter", "postgres", "--project-dir", project)
    assert yaml.safe_load(ended.out) == {
        "models": {
            "fsync": {
                "features": {
                    "user_id__orders_stream": {"+grants": {"select": ["windows_only", "everything"]}},
                    "user_lifetime": {"+grants": {"select": ["personal", "everything"]}},
                }
            }
        }
    }
    of_duckdb = fsync("access", "sql", "--project-dir", project)
    assert (of_duckdb.code, of_duckdb.out) == (2, "")
    assert "duckdb has no grants" in of_duckdb.err


def test_a_project_without_roles_is_told_where_to_declare_them(tmp_path: Path, fsync: Fsync) -> None:
    root = copy_reference(tmp_path / "project")
    (root / "dbt_project.yml").write_text(settings())
    ended = fsync("access", "redis", "--project-dir", root)
    assert (ended.code, ended.out) == (2, "")
    assert "vars: {fsync: {access: {roles:" in ended.err


def test_a_store_that_may_not_hold_a_class_gets_nothing(project: Path, server: Server, fsync: Fsync) -> None:
    """The views of a push are refused together, before any of them is sent; the password is not told."""
    stores = {f"redis://127.0.0.1:{server.port}/0": [], "redis://*": ["pii"]}
    (project / "dbt_project.yml").write_text(settings({"access": {"stores": stores}}))
    server.client().acl_setuser("pusher", enabled=True, passwords=["+secret"], categories=["+@all"], keys=["*"])
    url = f"redis://pusher:secret@127.0.0.1:{server.port}/0"
    push = ["push", "--as-of", AS_OF, "--prefix", "empty", "--online", url, "--project-dir", project]
    ended = fsync(*push)
    assert ended.code == 1
    assert "user_lifetime has values of class pii" in ended.err
    assert "secret" not in ended.err
    assert server.client().keys("empty:*") == []
    assert fsync(*push, "user_id__orders_stream").code == 0, "a view without the class may go"
    # a store that no pattern names may hold no class
    embedded = fsync("push", "--as-of", AS_OF, "--project-dir", project)
    assert (embedded.code, "online.sqlite may not hold" in embedded.err) == (1, True)
    stores[f"redis://127.0.0.1:{server.port}/0"] = ["pii"]
    (project / "dbt_project.yml").write_text(settings({"access": {"stores": stores}}))
    assert fsync(*push).code == 0


def test_a_rollback_brings_no_class_back_that_the_store_may_not_hold(
    project: Path, server: Server, fsync: Fsync
) -> None:
    """The version before had a personal feature; the policy has been made since."""
    online = ["--prefix", "back", "--online", server.url, "--project-dir", project]
    spec = project / "feature_specs/user_lifetime.yml"
    assert fsync("push", "user_lifetime", "--as-of", AS_OF, *online).code == 0
    spec.write_text(
        spec.read_text().replace("pii: true", "pii: false").replace("latest(quantity)", "lifetime_max(quantity)")
    )
    assert fsync("build", "--project-dir", project).code == 0
    assert fsync("push", "user_lifetime", "--as-of", AS_OF, *online).code == 0
    (project / "dbt_project.yml").write_text(settings({"access": {"stores": {"redis://*": []}}}))
    ended = fsync("rollback", "user_lifetime", *online)
    assert (ended.code, "has values of class pii" in ended.err) == (1, True)
    (project / "dbt_project.yml").write_text(settings())
    assert fsync("rollback", "user_lifetime", *online).code == 0
