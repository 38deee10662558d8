"""Redis with passwords, users of few rights, TLS and Sentinel; the URLs that people know."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pyarrow as pa
import pytest
import redis
from redis.crc import key_slot

from fsync.compile import plan_project
from fsync.errors import InputError, StoreOutOfReach
from fsync.instant import to_milliseconds
from fsync.push import push_view
from fsync.read import Reader
from fsync.rollback import roll_back
from fsync.spec.project import open_project
from fsync.store import open_store
from fsync.store.cluster import slots
from fsync.store.urls import parse_address
from fsync.warehouse.duckdb import Warehouse
from fsync.warehouse.profile import read_profile
from tests.servers import free_port, redis_program, redis_server, wait_for

AS_OF = to_milliseconds("1998-03-01")
#: what docs/ml-engineers.md says that a pusher and a reader may do
PUSHER = (
    "~fs:* +set +get +mget +scan +pexpire +pttl +unlink +eval +info +ping +hello +client|setname "
    "+client|list +client|kill"
)
READER = "~fs:* +get +mget +ping +hello"


def push(project: Path, url: str, view: str = "user_lifetime") -> int:
    opened = open_project(project)
    (found,) = (found for found in plan_project(opened).views if found.name == view)
    with closing(open_store(url)) as store, Warehouse(read_profile(opened)) as warehouse:
        return push_view(found, warehouse, store, as_of=AS_OF).written


def test_users_with_the_rights_that_the_guide_names(warehouse: Path, tmp_path: Path) -> None:
    guide = (Path(__file__).parents[2] / "docs/ml-engineers.md").read_text()
    assert PUSHER in guide
    assert READER in guide
    with redis_server(tmp_path) as server:
        admin = server.client()
        for name, rights in (("pusher", PUSHER), ("reader", READER)):
            admin.execute_command("ACL", "SETUSER", name, "on", ">s3cret", "resetkeys", "-@all", *rights.split())
        admin.execute_command("ACL", "SETUSER", "default", "off")
        where = f"127.0.0.1:{server.port}/0"
        assert push(warehouse, f"redis://pusher:s3cret@{where}") == 2_000
        assert push(warehouse, f"redis://pusher:s3cret@{where}") == 0
        with Reader(f"redis://reader:s3cret@{where}") as reader:
            assert reader.read("user_lifetime", 42, at=AS_OF)["user_lifetime_spend"] is not None
        with pytest.raises(StoreOutOfReach, match="refuses") as refused:
            push(warehouse, f"redis://reader:s3cret@{where}")
        assert "rights" in (refused.value.mend or "")
        for wrong in ("pusher:wr0ng", "nobody:s3cret"):
            with pytest.raises(StoreOutOfReach, match="refuses the user or password") as refused:
                push(warehouse, f"redis://{wrong}@{where}")
            assert "s3cret" not in str(refused.value)
            assert "wr0ng" not in str(refused.value)
        with pytest.raises(InputError, match="no version"), closing(open_store(f"redis://pusher:s3cret@{where}")) as it:
            roll_back("user_lifetime", it)


def test_a_password_alone(warehouse: Path, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(redis.Redis, "ping", lambda self: True)  # the server is waited for without its password
        with redis_server(tmp_path, "--requirepass", "p@ss/word") as server:
            time.sleep(0.2)
            assert push(warehouse, f"redis://:p%40ss%2Fword@127.0.0.1:{server.port}/0") == 2_000
            with pytest.raises(StoreOutOfReach, match="refuses"):
                push(warehouse, server.url)


def test_tls(warehouse: Path, tmp_path: Path) -> None:
    certificate, key = _certificate(tmp_path)
    port = free_port()
    options = [
        *("--tls-port", str(port), "--tls-cert-file", str(certificate), "--tls-key-file", str(key)),
        *("--tls-ca-cert-file", str(certificate), "--tls-auth-clients", "no"),
    ]
    try:
        with redis_server(tmp_path, *options):
            url = f"rediss://localhost:{port}/0?ssl_ca_certs={certificate}"
            assert push(warehouse, url) == 2_000
            with Reader(url) as reader:
                assert reader.read("user_lifetime", 42, at=AS_OF)["user_lifetime_spend"] is not None
            with pytest.raises(StoreOutOfReach, match="does not answer"):
                push(warehouse, f"rediss://localhost:{port}/0")  # whose certificate nobody vouches for
    except TimeoutError:
        pytest.skip("this redis-server was made without TLS")


def _certificate(folder: Path) -> tuple[Path, Path]:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = [
        *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"),
        *("-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)),
    ]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key


@contextmanager
def sentinel(folder: Path, master: int) -> Iterator[int]:
    port = free_port()
    settings = folder / "sentinel.conf"
    settings.write_text(f"port {port}\nbind 127.0.0.1\ndir {folder}\nsentinel monitor features 127.0.0.1 {master} 1\n")
    with subprocess.Popen([redis_program(), str(settings), "--sentinel"], stdout=subprocess.DEVNULL) as process:
        try:
            wait_for(port)
            yield port
        finally:
            process.kill()


def test_what_a_sentinel_says_is_the_master(warehouse: Path, tmp_path: Path) -> None:
    # Sentinel writes into its settings, and splits lines at spaces
    folder = Path(str(tmp_path).replace(" ", "_"))
    with redis_server(tmp_path) as server, sentinel(folder, server.port) as port:
        url = f"redis+sentinel://127.0.0.1:1,127.0.0.1:{port}/features/0"
        assert push(warehouse, url) == 2_000
        assert server.client().dbsize() > 2_000
        with Reader(url) as reader:
            assert reader.read("user_lifetime", 42, at=AS_OF)["user_lifetime_spend"] is not None


@pytest.mark.parametrize(
    ("url", "kind", "name"),
    [
        ("redis://localhost", "server", "Redis localhost:6379"),
        ("redis://me:secret@host:1234/3?socket_timeout=5", "server", "Redis host:1234/3"),
        ("rediss://:secret@host", "server", "Redis host:6379"),
        ("unix:///run/redis.sock?db=1", "server", "Redis /run/redis.sock/1"),
        ("redis+cluster://me:secret@host:7000", "cluster", "Redis Cluster host:7000"),
        ("rediss+cluster://host", "cluster", "Redis Cluster host:6379"),
        ("redis+cluster://h?read_from_replicas=true&max_connections=9", "cluster", "Redis Cluster h:6379"),
        ("redis+sentinel://a:1,b/main", "sentinel", "Redis main of Sentinel a:1,b"),
        ("rediss+sentinel://a/main?ssl_ca_certs=/etc/ca.pem", "sentinel", "Redis main of Sentinel a"),
        ("redis+sentinel://me:secret@a:1,b:2/main/3?socket_timeout=5", "sentinel", "Redis main of Sentinel a:1,b:2/3"),
    ],
)
def test_urls(url: str, kind: str, name: str) -> None:
    address = parse_address(url)
    assert (address.kind, address.name) == (kind, name)
    if kind == "sentinel" and "secret" in url:
        assert address.sentinels == (("a", 1), ("b", 2))
        settings = address.of_master(1)
        found = {name: settings[name] for name in ("username", "password", "db", "socket_timeout")}
        assert found == {"username": "me", "password": "secret", "db": 3, "socket_timeout": 5.0}


@pytest.mark.parametrize(
    "url",
    [
        "redis://h:x",
        "redis+sentinel://h:1",
        "redis+sentinel://h:x/m",
        "redis+cluster://h:x",
        "redis://h?socket_timeout=x",
    ],
)
def test_what_is_no_url(url: str) -> None:
    with pytest.raises(InputError, match="not one that Redis has"):
        parse_address(url)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("redis://h/orders", "names a database that is no number"),
        ("redis://h/0?passwrd=secret", "has a setting that redis-py does not know: passwrd"),
        ("redis://h?read_from_replicas=true", "has a setting that redis-py does not know: read_from_replicas"),
        ("redis://h?connection_class=secret", "does not know: connection_class"),
        ("redis://h?url=secret", "does not know: url"),
        ("redis+sentinel://h/main?read_from_replicas=true", "does not know: read_from_replicas"),
        ("redis://u:12?secret=1@h/0", "has a setting that redis-py does not know"),
        ("redis+cluster://h?passwrd=secret", "has a setting that redis-py does not know: passwrd"),
    ],
)
def test_what_redis_would_overlook_or_stumble_over(url: str, why: str) -> None:
    with pytest.raises(InputError, match=why) as refused:
        parse_address(url)
    assert "secret" not in str(refused.value)


def test_slots_are_those_of_redis() -> None:
    texts = ["42", "", "a", "é" * 9_000, "x" * 65_536, "a|b", "%7B", *map(str, range(1_000))]
    keys = [f"fs:{{{text}}}:view:1111aaaa" for text in texts if text] + ["fs:version:{fs:view:orders}:1111aaaa"]
    for kind in (pa.string(), pa.large_string()):
        assert slots(pa.array(keys, kind)).tolist() == [key_slot(key.encode()) for key in keys]
    assert slots(pa.array(["no", *keys[:3], "no"]).slice(1, 3)).tolist() == [key_slot(key.encode()) for key in keys[:3]]
    assert slots(pa.array([], pa.string())).tolist() == []
