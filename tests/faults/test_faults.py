"""Pushers that die, servers that restart, fill up, hang or are cut off: no wrong value is read, the next push mends.

After each fault, what is read is held against the offline table at instants on both sides, and the keys after the next
push against those of a clean one, to the byte.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
import redis

from fsync import wire
from fsync.compile import plan_project
from fsync.errors import StoreOutOfReach
from fsync.instant import to_datetime, to_milliseconds
from fsync.plan import View
from fsync.push import push_view
from fsync.read import Reader
from fsync.spec.project import Project, open_project
from fsync.store import Store, open_store
from fsync.warehouse.duckdb import Warehouse
from fsync.warehouse.profile import read_profile
from tests.conftest import ROOT
from tests.faults.pusher import Slow
from tests.servers import Server, redis_cli, redis_server

VIEW = "user_id__orders_stream"
#: instants whose pushes differ in many keys
INSTANTS = [to_milliseconds(day) for day in ("1997-03-01", "1997-03-20", "1997-04-10", "1997-05-05")]
KILLS = int(os.environ.get("FSYNC_TEST_PUSHERS", "60"))


@pytest.fixture
def project(warehouse: Path) -> Project:
    return open_project(warehouse)


@pytest.fixture
def view(project: Project) -> View:
    (found,) = (view for view in plan_project(project).views if view.name == VIEW)
    return found


@pytest.fixture
def tables(project: Project) -> Iterator[Warehouse]:
    with Warehouse(read_profile(project)) as opened:
        yield opened


@pytest.fixture
def prefix() -> str:
    return f"test-{uuid.uuid4().hex}"


class Oracle:
    """What the offline table says, and what it says of what was read."""

    def __init__(self, project: Project, view: View) -> None:
        self.view = view
        self.customers = list(range(1, 300))
        self.days = [instant + step for instant in INSTANTS for step in (0, 1, 40_000_000, 5 * 86_400_000)]
        names = ", ".join(planned.name for planned in view.features)
        query = f"select user_id, {names} from {view.name} where user_id < 300 and valid_from < ? and ? <= valid_to"
        with duckdb.connect(str(read_profile(project).path), read_only=True) as offline:
            rows = {day: offline.execute(query, [to_datetime(day)] * 2).fetchall() for day in self.days}
        self.right = {day: {row[0]: row[1:] for row in found} for day, found in rows.items()}

    def served(self, store: Store, prefix: str) -> int:
        """How many values are served, every one of which is right."""
        count = 0
        reader = Reader(store, prefix=prefix)
        for day in self.days:
            meta = reader.meta(self.view.name)
            for reading in reader.read_many(self.view.name, self.customers, at=day):
                if reading.is_missing or meta is None or day > meta.horizon:
                    continue
                expected = self.right[day].get(reading.key, meta.empty)
                assert tuple(reading.values.values()) == expected, (reading, expected, meta)
                count += 1
        return count


@pytest.fixture
def oracle(project: Project, view: View) -> Oracle:
    return Oracle(project, view)


def held(store: Store, prefix: str, view: View) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for batch in store.scan(*wire.around_entity(prefix, view.name, view.hash)):
        keys = (key.removeprefix(prefix) for key in batch["key"].to_pylist())
        found |= zip(keys, batch["value"].to_pylist(), strict=True)
    return found


def clean(view: View, tables: Warehouse, store: Store, as_of: int) -> dict[str, bytes]:
    """What a push leaves in an empty store."""
    prefix = f"clean-{uuid.uuid4().hex}"
    push_view(view, tables, store, as_of=as_of, prefix=prefix)
    return held(store, prefix, view)


# ---------------------------------------------------------------- pushers


@contextmanager
def pusher(project: Project, url: str, prefix: str, record: Path, pause: float) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.faults.pusher", project.root, url, prefix, record, VIEW, pause]
    with subprocess.Popen(
        [str(part) for part in command], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert said(process) == "ready"
        try:
            yield process
        finally:
            assert process.stdin is not None
            process.stdin.close()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def order(process: subprocess.Popen[str], as_of: int, lease_ms: int = 30_000) -> int:
    """Let a child push; its process id."""
    assert process.stdin is not None
    process.stdin.write(f"{as_of} {lease_ms}\n")
    process.stdin.flush()
    return int(said(process))


@pytest.mark.parametrize("kind", ["redis", "sqlite"])
def test_pushers_that_are_killed_at_random(
    kind: str,
    project: Project,
    view: View,
    tables: Warehouse,
    oracle: Oracle,
    redis_url: str,
    prefix: str,
    tmp_path: Path,
) -> None:
    randomly = random.Random(4)
    url = redis_url if kind == "redis" else f"sqlite:///{tmp_path / 'online.sqlite'}"
    kills, rounds, served = (KILLS, 0, 0) if kind == "redis" else (KILLS // 4, 0, 0)
    with closing(open_store(url)) as store, pusher(project, url, prefix, tmp_path / "record", 0.002) as process:
        expected = {as_of: clean(view, tables, store, as_of) for as_of in INSTANTS}
        as_of = INSTANTS[0]
        while kills:
            rounds += 1
            as_of = randomly.choice([instant for instant in INSTANTS if instant != as_of])
            child = order(process, as_of, lease_ms=100)
            time.sleep(randomly.uniform(0.0, 0.35))
            with suppress(ProcessLookupError):  # it has ended
                os.kill(child, signal.SIGKILL)
            was_killed = int(said(process)) == -signal.SIGKILL
            kills -= was_killed
            served += oracle.served(store, prefix)
            if was_killed and randomly.random() < 0.5:
                continue  # the next one is killed too
            time.sleep(0.1)  # the lease of the dead one runs out
            order(process, as_of)
            assert int(said(process)) == 0
            assert held(store, prefix, view) == expected[as_of], "the next push ends as a clean one does"
            served += oracle.served(store, prefix)
    assert served > 10_000
    assert rounds < 6 * KILLS, "most are killed while they push"


def test_a_pusher_that_is_stopped_past_its_lease_and_goes_on(
    project: Project, view: View, tables: Warehouse, oracle: Oracle, redis_url: str, prefix: str, tmp_path: Path
) -> None:
    randomly = random.Random(5)
    lost, turns = 0, 0
    lease = wire.lease_key(prefix, VIEW)
    with closing(open_store(redis_url)) as store, pusher(project, redis_url, prefix, tmp_path / "r", 0.002) as process:
        expected = {as_of: clean(view, tables, store, as_of) for as_of in INSTANTS}
        push_view(view, tables, store, as_of=INSTANTS[0], prefix=prefix)
        while lost < 5:
            turns += 1
            stopped = order(process, INSTANTS[1 + turns % 3], lease_ms=150)
            _wait_until(lambda: store.get([lease]) != [None])
            time.sleep(randomly.uniform(0.0, 0.1))
            os.kill(stopped, signal.SIGSTOP)
            _wait_until(lambda: store.get([lease]) == [None])
            push_view(view, tables, store, as_of=INSTANTS[0], prefix=prefix)
            before = held(store, prefix, view)
            os.kill(stopped, signal.SIGCONT)
            code = int(said(process))
            assert code in (0, 3), "it had ended before, or says that it has lost its lease"
            lost += code == 3
            assert before == expected[INSTANTS[0]]
            assert held(store, prefix, view) == before, "it writes nothing any more"
            assert oracle.served(store, prefix) > 0
    assert turns < 50, "most are stopped while they push"


def _wait_until(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.001)


# ---------------------------------------------------------------- servers


class Interrupted:
    """Calls something once some batches have gone out."""

    def __init__(self, batches: int, do: Callable[[], object]) -> None:
        self.batches = batches
        self.do = do

    def __call__(self) -> None:
        self.batches -= 1
        if self.batches == 0:
            self.do()


class Checked(Slow):
    """A slow store that does something before each piece."""

    def __init__(self, store: Store, do: Callable[[], None]) -> None:
        super().__init__(store, 0)
        self._do = do

    def __getattr__(self, name: str) -> Any:
        call = super().__getattr__(name)
        if name not in ("write", "delete"):
            return call

        def checked(*arguments: Any, **named: Any) -> None:
            check = named.pop("check", lambda: None)

            def both() -> None:
                check()
                self._do()

            call(*arguments, check=both, **named)

        return checked


@pytest.mark.parametrize("keeps", ["no", "yes"])
def test_a_server_that_is_killed_and_started_again(
    keeps: str, view: View, tables: Warehouse, oracle: Oracle, tmp_path: Path, prefix: str
) -> None:
    """Without its data, or with all that it had written down."""
    options = ["--appendonly", keeps, "--appendfsync", "always"]
    record = tmp_path / "record"
    for batch in (1, 3, 17):
        with redis_server(tmp_path, *options) as server, closing(open_store(server.url)) as store:
            push_view(view, tables, store, as_of=INSTANTS[0], prefix=prefix, record=record)
            dying: Any = Checked(store, Interrupted(batch, partial(stop, server)))
            with pytest.raises(StoreOutOfReach):
                push_view(view, tables, dying, as_of=INSTANTS[1], prefix=prefix, record=record)
            with pytest.raises(StoreOutOfReach):
                oracle.served(store, prefix)
            with redis_server(tmp_path, *options, port=server.port):
                free_lease(store, prefix)
                assert (oracle.served(store, prefix) > 0) == (keeps == "yes")
                push_view(view, tables, store, as_of=INSTANTS[1], prefix=prefix, record=record)
                assert held(store, prefix, view) == clean(view, tables, store, INSTANTS[1])
                redis.Redis(port=server.port).flushall()


def stop(server: Server) -> None:
    server.process.kill()
    server.process.wait()


def test_a_server_that_is_full(view: View, tables: Warehouse, oracle: Oracle, tmp_path: Path, prefix: str) -> None:
    with redis_server(tmp_path, "--maxmemory-policy", "noeviction") as server, closing(open_store(server.url)) as store:
        push_view(view, tables, store, as_of=INSTANTS[0], prefix=prefix)
        before = held(store, prefix, view)
        filling: Any = Checked(store, Interrupted(5, lambda: server.client().config_set("maxmemory", 1)))
        with pytest.raises(StoreOutOfReach, match=rf"refuses {prefix}:{{.*}}:{VIEW}:{view.hash}: OOM") as raised:
            push_view(view, tables, filling, as_of=INSTANTS[2], prefix=prefix)
        assert "maxmemory" in (raised.value.mend or "")
        meta = Reader(store, prefix=prefix).meta(VIEW)
        assert meta is not None
        assert meta.as_of == INSTANTS[0], "nothing was switched"
        assert oracle.served(store, prefix) > 0
        server.client().config_set("maxmemory", 0)
        push_view(view, tables, store, as_of=INSTANTS[0], prefix=prefix)
        assert held(store, prefix, view) == before
        push_view(view, tables, store, as_of=INSTANTS[2], prefix=prefix)
        assert held(store, prefix, view) == clean(view, tables, store, INSTANTS[2])


def test_a_connection_that_is_cut(
    view: View, tables: Warehouse, oracle: Oracle, redis_url: str, tmp_path: Path, prefix: str
) -> None:
    port = int(redis_url.rpartition(":")[2].partition("/")[0])
    randomly = random.Random(6)
    cuts = 0
    with closing(open_store(redis_url)) as direct:
        expected = {as_of: clean(view, tables, direct, as_of) for as_of in INSTANTS}
        for turn in range(12):
            as_of = INSTANTS[turn % 4]
            with (
                Proxy(port, cut_after=randomly.randint(2_000, 150_000)) as proxy,
                closing(open_store(f"redis://127.0.0.1:{proxy.port}/0")) as store,
            ):
                try:
                    push_view(view, tables, store, as_of=as_of, prefix=prefix, record=tmp_path / "record")
                except StoreOutOfReach:
                    cuts += 1
            assert oracle.served(direct, prefix) > 0 or turn == 0
            free_lease(direct, prefix)
            push_view(view, tables, direct, as_of=as_of, prefix=prefix)
            assert held(direct, prefix, view) == expected[as_of]
    assert cuts > 3


def free_lease(store: Store, prefix: str) -> None:
    """The lease of a pusher that could not give it back."""
    store.delete(pa.array([wire.lease_key(prefix, VIEW)]))


def test_a_connection_that_is_slow(view: View, tables: Warehouse, redis_url: str, prefix: str) -> None:
    port = int(redis_url.rpartition(":")[2].partition("/")[0])
    with Proxy(port, delay=0.02) as proxy, closing(open_store(f"redis://127.0.0.1:{proxy.port}/0")) as store:
        push_view(view, tables, store, as_of=INSTANTS[0], prefix=prefix)
        assert held(store, prefix, view) == clean(view, tables, store, INSTANTS[0])


def test_a_server_that_hangs_is_given_up(redis_url: str, tmp_path: Path) -> None:
    with redis_server(tmp_path) as server, closing(open_store(f"{server.url}?socket_timeout=0.2")) as store:
        store.get(["a"])
        os.kill(server.process.pid, signal.SIGSTOP)
        try:
            began = time.monotonic()
            with pytest.raises(StoreOutOfReach, match="does not answer"):
                store.get(["a"])
            assert time.monotonic() - began < 5
        finally:
            os.kill(server.process.pid, signal.SIGCONT)


class Proxy:
    """Between a client and a server: slow, or cut after some bytes of the client's."""

    def __init__(self, port: int, *, delay: float = 0.0, cut_after: int | None = None) -> None:
        self._server = port
        self._delay = delay
        self._left = cut_after
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._server))
            except OSError:
                return
            self._sockets += [client, server]
            for source, sink, counts in ((client, server, True), (server, client, False)):
                threading.Thread(target=self._forward, args=(source, sink, counts), daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket, counts: bool) -> None:
        try:
            while data := source.recv(1 << 15):
                time.sleep(self._delay)
                if counts and self._left is not None:
                    data, self._left = data[: self._left], self._left - len(data)
                    if self._left <= 0:
                        sink.sendall(data)
                        self.__exit__()
                        return
                sink.sendall(data)
        except OSError:
            pass
        finally:
            sink.close()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        for opened in self._sockets:
            with suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)
            opened.close()


# ---------------------------------------------------------------- a cluster


def test_slots_that_move_in_the_middle_of_a_push(
    view: View, tables: Warehouse, oracle: Oracle, cluster: list[Server], prefix: str
) -> None:
    url = f"redis+cluster://127.0.0.1:{cluster[0].port}"
    ids = [server.client().execute_command("CLUSTER", "MYID").decode() for server in cluster]
    with closing(open_store(url)) as store:
        slow: Any = Slow(store, 0.001)
        push_view(view, tables, store, as_of=INSTANTS[0], prefix=prefix)
        for turn, as_of in enumerate(INSTANTS[1:]):
            source, sink = ids[turn % 3], ids[(turn + 1) % 3]
            command = [
                *(redis_cli(), "--cluster", "reshard", f"127.0.0.1:{cluster[0].port}", "--cluster-yes"),
                *("--cluster-from", source, "--cluster-to", sink, "--cluster-slots", "1500"),
            ]
            with subprocess.Popen(command, stdout=subprocess.DEVNULL) as moving:
                while moving.poll() is None:
                    for again in (as_of, INSTANTS[0]):
                        push_view(view, tables, slow, as_of=again, prefix=prefix, full=True)
                        assert oracle.served(store, prefix) > 0
                assert moving.returncode == 0
            push_view(view, tables, store, as_of=as_of, prefix=prefix)
            assert held(store, prefix, view) == clean(view, tables, store, as_of)
