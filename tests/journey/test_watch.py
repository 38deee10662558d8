"""`fsync watch` as people use it: at an instant, again and again, told to a chat, kept, and kept from being kept."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
import yaml

from fsync.store import open_store
from fsync.watch import history, webhook
from fsync.watch.check import Check, Round, Verdict
from fsync.watch.prometheus import Metrics
from fsync.watch.rounds import Watched
from fsync.wire import decode_meta
from fsync_cli.main import run
from fsync_cli.tellers import tell_all
from tests.conftest import Ended
from tests.servers import free_port

Fsync = Callable[..., Ended]

#: a minute after the last purchases; and a day later, when all that was promised for a day is still fresh
NOW, LATER = "1998-06-30T00:01:00Z", "1998-07-01T00:00:00Z"


@pytest.fixture
def project(warehouse: Path, tmp_path: Path) -> Path:
    """The reference, watched as if its data went on: fresh a minute after its last purchases."""
    root = Path(shutil.copytree(warehouse, tmp_path / "my project"))
    _watched_as(root, as_of=NOW)
    return root


def _watched_as(root: Path, **policy: object) -> None:
    settings = yaml.safe_load((root / "dbt_project.yml").read_text())
    del settings["vars"]["fsync"]["monitors"], settings["vars"]["fsync"]["as_of"]
    settings["vars"]["fsync"] |= policy
    (root / "dbt_project.yml").write_text(yaml.safe_dump(settings, sort_keys=False))


def _watch(fsync: Fsync, project: Path, *more: object) -> tuple[int, dict[str, Any]]:
    ended = fsync("watch", "--json", "--project-dir", project, *more)
    assert ended.code in (0, 1), ended.err
    found: dict[str, Any] = json.loads(ended.out)
    return ended.code, found


def _alerts(found: dict[str, Any]) -> set[tuple[str, str, str]]:
    return {(one["feature"], one["signal"], one["side"]) for one in found["checks"] if one["verdict"] == "alert"}


def _kept(project: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(project / "warehouse.duckdb"), read_only=True) as connection:
        return connection.execute(query).fetchall()


# ---------------------------------------------------------------- one look


def test_the_reference_is_well_when_it_is_watched(warehouse: Path, tmp_path: Path, fsync: Fsync) -> None:
    """At the end of its data, and with what the README pushes."""
    root = Path(shutil.copytree(warehouse, tmp_path / "the reference"))
    assert fsync("push", "--as-of", "1998-07-01", "--project-dir", root).code == 0
    code, found = _watch(fsync, root, "--parity")
    assert (code, found["at"], _alerts(found)) == (0, "1998-07-01T00:00:00Z", set())


def test_a_project_whose_data_ends_is_looked_at_then(project: Path, fsync: Fsync) -> None:
    """vars.fsync.as_of says when; without a store, the tables alone are watched."""
    code, found = _watch(fsync, project)
    assert (code, found["at"], _alerts(found)) == (0, NOW, set())
    assert {check["side"] for check in found["checks"]} == {"offline"}


def test_what_is_late_alerts_and_the_exit_code_says_so(project: Path, fsync: Fsync) -> None:
    ended = fsync("watch", "--as-of", LATER, "--project-dir", project)
    assert ended.code == 1
    late = {line.split()[1] for line in ended.out.splitlines()[1:]}
    # of the views, one promises minutes and hours, the other a day
    assert late == {
        "user_180d_large_order_count",
        "user_30d_avg_spend",
        "user_30d_purchase_count",
        "user_30d_spend",
        "user_365d_max_order",
        "user_365d_min_order",
        "user_7d_spend",
        "user_90d_avg_order_value",
    }
    assert "its newest event is 1 d old, of 1998-06-30T00:00:00Z: more than the 5m that are promised" in ended.out
    assert "no online store is watched" in ended.err
    assert "10 features as of 1998-07-01T00:00:00Z: " in ended.err


def test_budgets_are_told_of_the_views_that_are_watched(project: Path, fsync: Fsync) -> None:
    assert fsync("watch", "--project-dir", project).code == 0
    _, found = _watch(fsync, project, "user_lifetime")
    assert {budget["view"] for budget in found["budgets"]} == {"user_lifetime"}


def test_that_data_ends_is_said_where_a_watch_would_go_on(project: Path, fsync: Fsync) -> None:
    assert f"looking once, as of {NOW}: vars.fsync.as_of says" in fsync("watch", "--project-dir", project).err
    assert "looking once" not in fsync("watch", "--once", "--project-dir", project).err


def test_some_views_can_be_watched_alone(project: Path, fsync: Fsync) -> None:
    code, found = _watch(fsync, project, "user_lifetime", "--as-of", LATER)
    assert (code, {check["view"] for check in found["checks"]}) == (0, {"user_lifetime"})
    ended = fsync("watch", "user_lifetim", "--project-dir", project)
    assert ended.code == 2
    assert "did you mean 'user_lifetime'?" in ended.err


def test_all_checks_are_told_when_asked(project: Path, fsync: Fsync) -> None:
    ended = fsync("watch", "--all", "--project-dir", project)
    assert ended.code == 0
    assert "that should have a value have none: 5% may" in ended.out
    assert "no other feature of the view tells an empty window from values that are missing" in ended.out
    assert "of the values are distributed otherwise, 5% would count" in ended.out
    assert "kept in 30 days" in ended.out


def test_an_earlier_instant_is_looked_at_as_it_was(project: Path, fsync: Fsync) -> None:
    """The newest event is that of the source before the instant, not of the table."""
    _, found = _watch(fsync, project, "--as-of", "1998-03-01T00:01:00")
    newest = {check["sentence"].split(", of ")[1][:10] for check in found["checks"] if check["signal"] == "freshness"}
    ((expected,),) = _kept(
        project, "select max(ordered_at) from orders_stream where ordered_at < '1998-03-01 00:01:00'"
    )
    assert newest == {expected.date().isoformat()}


def test_a_view_that_is_not_built_as_it_is_written_is_late(project: Path, fsync: Fsync) -> None:
    spec = project / "feature_specs/user_lifetime.yml"
    spec.write_text(spec.read_text().replace("lifetime_sum(amount)", "lifetime_sum(amount / 2)"))
    code, found = _watch(fsync, project, "user_lifetime")
    assert code == 1
    assert _alerts(found) == {
        ("user_last_order_quantity", "freshness", "offline"),
        ("user_lifetime_spend", "freshness", "offline"),
    }
    assert "was built from another version of its specs" in found["problems"][0]


def test_without_a_warehouse_there_is_nothing_to_look_at(project: Path, fsync: Fsync) -> None:
    (project / "warehouse.duckdb").unlink()
    ended = fsync("watch", "--project-dir", project)
    assert ended.code == 2
    assert "there is no warehouse" in ended.err


# ---------------------------------------------------------------- online


def test_a_push_of_a_later_instant_says_nothing_of_an_earlier_one(project: Path, fsync: Fsync) -> None:
    """Looking into the past costs no budget."""
    assert fsync("push", "--as-of", NOW, "--project-dir", project).code == 0
    _, found = _watch(fsync, project, "user_lifetime", "--as-of", "1998-05-01")
    online = {(check["signal"], check["verdict"]) for check in found["checks"] if check["side"] == "online"}
    assert online == {("freshness", "ok"), ("availability", "unknown")}
    assert {budget["promise"] for budget in found["budgets"]} == {"freshness"}


def test_a_value_of_another_type_is_told_and_ends_nothing(project: Path, fsync: Fsync) -> None:
    assert fsync("push", "--as-of", NOW, "--project-dir", project).code == 0
    with closing(open_store(f"sqlite:///{project}/online.sqlite")) as store:
        meta = decode_meta(store.get(["fs:view:user_lifetime"])[0] or b"")
        keys = pa.array([f"fs:{{{user}}}:user_lifetime:{meta.hash}" for user in range(1, 2_000)])
        store.write(keys, pa.array(['[[0,["secret",[]]]]'] * len(keys)), 10**9)
    ended = fsync("watch", "user_lifetime", "--parity", "--json", "--project-dir", project)
    assert ended.code == 1
    told = {check["sentence"] for check in json.loads(ended.out)["checks"] if check["side"] == "online"}
    assert any(sentence.startswith("0.") and "probes got a value" in sentence for sentence in told), told
    assert "secret" not in ended.out + ended.err


def test_a_snapshot_is_not_what_is_watched(project: Path, fsync: Fsync, monkeypatch: pytest.MonkeyPatch) -> None:
    assert fsync("push", "--as-of", NOW, "--project-dir", project).code == 0
    monkeypatch.setenv("FSYNC_SNAPSHOT", f"sqlite:///{project}/online.sqlite")
    dead = f"redis://127.0.0.1:{free_port()}/0"
    _, found = _watch(fsync, project, "user_lifetime", "--online", dead)
    assert {signal for _, signal, _ in _alerts(found)} == {"availability"}


def test_what_is_served_is_watched_too(project: Path, fsync: Fsync) -> None:
    assert fsync("push", "--as-of", NOW, "--project-dir", project).code == 0
    code, found = _watch(fsync, project, "--parity")
    assert (code, _alerts(found), found["differences"]) == (0, set(), [])
    signals = {check["signal"] for check in found["checks"] if check["side"] == "online"}
    assert signals == {"freshness", "null_ratio", "drift", "availability", "parity"}


def test_differences_of_another_build_are_told_and_explained(project: Path, fsync: Fsync) -> None:
    assert fsync("push", "--as-of", NOW, "--project-dir", project).code == 0
    with duckdb.connect(str(project / "warehouse.duckdb")) as connection:
        (comment,) = connection.execute(
            "select comment from duckdb_tables() where table_name = 'user_lifetime'"
        ).fetchone() or ("",)
        stamp = json.loads(comment)
        stamp["fsync"]["built_at"] = "2099-01-01T00:00:00.000Z"
        connection.execute(f"comment on table user_lifetime is '{json.dumps(stamp)}'")
        connection.execute(
            "update user_lifetime set user_lifetime_spend = user_lifetime_spend + 1 where user_id % 10 = 0"
        )
    code, found = _watch(fsync, project, "user_lifetime", "--parity")
    assert code == 0
    assert found["differences"]
    for difference in found["differences"]:
        assert int(difference["key"]) % 10 == 0
        assert float(difference["offline"]) == pytest.approx(float(difference["online"]) + 1)
        assert "and the table was built at 2099-01-01T00:00:00Z" in difference["reason"]


def test_no_key_is_told_where_an_entity_is_of_a_class(project: Path, fsync: Fsync) -> None:
    """Of the same class as a feature, too."""
    staging, spec = project / "models/staging/_staging.yml", project / "feature_specs/user_lifetime.yml"
    tagged = "      - name: user_id\n        config: {meta: {pii: true}}\n"
    staging.write_text(staging.read_text().replace("      - name: user_id\n", tagged))
    spec.write_text(spec.read_text().replace("pii: false", "pii: true"))
    assert fsync("push", "--as-of", NOW, "--project-dir", project).code == 0
    with closing(open_store(f"sqlite:///{project}/online.sqlite")) as store:
        meta = decode_meta(store.get(["fs:view:user_lifetime"])[0] or b"")
        keys = pa.array([f"fs:{{{user}}}:user_lifetime:{meta.hash}" for user in range(1, 2_000)])
        store.write(keys, pa.array(['[[0,[1,"2.50"]]]'] * len(keys)), 10**9)
    code, found = _watch(fsync, project, "user_lifetime", "--parity")
    assert code == 1
    assert {(one["key"], one["online"], one["offline"]) for one in found["differences"]} == {("(hidden)",) * 3}


def test_a_view_that_cannot_be_looked_at_is_told_where_nothing_is_promised(project: Path, fsync: Fsync) -> None:
    spec = project / "feature_specs/user_lifetime.yml"
    text = spec.read_text().replace('  sla: { freshness: "1d", availability: "99%" }\n', "")
    spec.write_text(text.replace("lifetime_sum(amount)", "lifetime_max(amount)"))
    service = project / "feature_specs/services/churn_model.yml"
    service.unlink()
    ended = fsync("watch", "user_lifetime", "--project-dir", project)
    assert ended.code == 1
    assert "not looked at: the table of user_lifetime was built from another version of its specs" in ended.err


def test_a_store_that_does_not_answer_is_an_alert(project: Path, fsync: Fsync) -> None:
    url = f"redis://user:secret@127.0.0.1:{free_port()}/0"
    ended = fsync("watch", "user_lifetime", "--online", url, "--project-dir", project)
    assert ended.code == 1
    assert "0.0% of 1,000 probes got a value, 99% are promised: the store does not answer" in ended.out
    assert "secret" not in ended.out + ended.err


# ---------------------------------------------------------------- baselines


def _baselines(project: Path, training_set: str) -> None:
    """Let one feature be compared with a training set, and another one with a day."""
    service = project / "feature_specs/services/churn_model.yml"
    service.write_text(service.read_text() + f"training_set: {training_set}\n")
    spec = project / "feature_specs/user_lifetime.yml"
    of_day = "monitors: {drift_baseline: 1997-03-01}"
    of_training = "monitors: {drift_baseline: churn_model, severity: error}"
    spec.write_text(
        spec.read_text()
        .replace("lifetime_sum(amount)\n", f"lifetime_sum(amount)\n    {of_training}\n")
        .replace("latest(quantity)\n", f"latest(quantity)\n    {of_day}\n")
    )


def test_models_and_days_are_baselines_for_dbt_too(project: Path, fsync: Fsync) -> None:
    """`fsync watch` and dbt's tests compare with the same."""
    _baselines(project, "churn_training_set")
    built = fsync("build", "--project-dir", project)
    assert built.code == 1
    assert "user_lifetime_drift_error" in built.err
    _, found = _watch(fsync, project, "user_lifetime")
    told = {check["feature"]: check for check in found["checks"] if check["signal"] == "drift"}
    assert told["user_lifetime_spend"]["verdict"] == "alert"
    assert told["user_lifetime_spend"]["sentence"].endswith(" of the training set of churn_model")
    assert told["user_last_order_quantity"]["sentence"].endswith(" as of 1997-03-01")
    # the table of dbt's test says the same of the same values: fewer entities than are sampled
    failures = "main_dbt_test__audit.user_lifetime_drift_error"
    ((statistic, p),) = _kept(project, f"select statistic, p from {failures} where feature = 'user_lifetime_spend'")
    assert told["user_lifetime_spend"]["value"] == pytest.approx(statistic)
    assert told["user_lifetime_spend"]["p"] == pytest.approx(p, abs=1e-4)
    # what nobody has spent is in the training set, and in no comparison
    ((spent,),) = _kept(project, "select count(*) from churn_training_set where user_lifetime_spend <> 0")
    assert f"against {spent:,} of the training set" in told["user_lifetime_spend"]["sentence"]


def test_files_are_baselines_of_a_watch_alone(project: Path, fsync: Fsync) -> None:
    """A file that `fsync train` wrote need not be there where dbt builds."""
    (project / "labels.csv").write_text(
        "user_id,label_at\n" + "".join(f"{user},1997-{1 + user % 12:02}-15\n" for user in range(1, 1_500))
    )
    trained = fsync(
        *("train", "--labels", project / "labels.csv", "--timestamp", "label_at", "--service", "churn_model"),
        *("--out", project / "training/churn's.parquet", "--project-dir", project),
    )
    assert trained.code == 0, trained.err
    _baselines(project, "training/churn's.parquet")
    assert fsync("compile", "--project-dir", project).code == 0
    assert "churn's" not in (project / "models/features/user_lifetime.yml").read_text()
    _, found = _watch(fsync, project, "user_lifetime")
    (told,) = [one for one in found["checks"] if (one["feature"], one["signal"]) == ("user_lifetime_spend", "drift")]
    assert told["sentence"].endswith(" of the training set of churn_model")


def test_a_training_set_that_is_no_table_is_said(project: Path, fsync: Fsync) -> None:
    _baselines(project, "churn.parquet")
    (project / "churn.parquet").write_text("garbage")
    _, found = _watch(fsync, project, "user_lifetime")
    (told,) = {one["sentence"] for one in found["checks"] if one["baseline"] == "churn_model"}
    assert told == "churn.parquet cannot be read as a table"


def test_a_training_set_that_is_gone_is_said(project: Path, fsync: Fsync) -> None:
    service = project / "feature_specs/services/churn_model.yml"
    service.write_text(service.read_text() + "training_set: training/churn.parquet\n")
    spec = project / "feature_specs/user_lifetime.yml"
    spec.write_text(
        spec.read_text().replace(
            "lifetime_sum(amount)\n", "lifetime_sum(amount)\n    monitors: {drift_baseline: churn_model}\n"
        )
    )
    _, found = _watch(fsync, project, "user_lifetime")
    (told,) = [one for one in found["checks"] if (one["feature"], one["signal"]) == ("user_lifetime_spend", "drift")]
    assert (told["verdict"], told["sentence"]) == (
        "unknown",
        "training/churn.parquet cannot be read: there is no such file",
    )


# ---------------------------------------------------------------- kept


def test_every_check_is_kept_once(project: Path, fsync: Fsync) -> None:
    for _ in range(2):
        _, found = _watch(fsync, project)
    rows = _kept(project, "select feature, signal, side, verdict, value, sentence from fsync_watch order by all")
    expected = [
        tuple(one[name] for name in ("feature", "signal", "side", "verdict", "value", "sentence"))
        for one in found["checks"]
    ]
    assert rows == sorted(expected, key=lambda row: tuple((value is None, value) for value in row))
    assert found["budgets"][0]["checks"] == 1


def test_a_dry_run_keeps_nothing_and_tells_no_chat(project: Path, fsync: Fsync) -> None:
    with _chat() as chat:
        ended = fsync("watch", "--as-of", LATER, "--dry-run", "--webhook", chat.url, "--project-dir", project)
    assert ended.code == 1
    assert "user_30d_spend" in ended.out
    assert chat.messages == []
    assert _kept(project, "select count(*) from duckdb_tables() where table_name = 'fsync_watch'") == [(0,)]


def test_a_build_leaves_the_history_alone(project: Path, fsync: Fsync) -> None:
    _watch(fsync, project)
    before = _kept(project, "select count(*) from fsync_watch")
    assert run(["build", "--full-refresh", "--project-dir", str(project)]) == 0
    assert _kept(project, "select count(*) from fsync_watch") == before


def test_a_warehouse_that_another_reads_keeps_nothing_and_loses_no_alert(
    project: Path, fsync: Fsync, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "_PATIENCE_SECONDS", 0.5)
    with _reading(project / "warehouse.duckdb"):
        ended = fsync("watch", "--project-dir", project)
        late = fsync("watch", "--as-of", LATER, "--project-dir", project)
    assert ended.code == 3
    assert "not kept: the history cannot be kept" in ended.err
    assert late.code == 1
    assert "user_30d_spend" in late.out


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Another process that has the warehouse open to read."""
    opened = f"c = duckdb.connect({str(path)!r}, read_only=True)"
    code = f"import duckdb, sys; {opened}; print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield
        finally:
            process.kill()


# ---------------------------------------------------------------- told


class _Chat(HTTPServer):
    """Takes messages, after it has refused the first ones."""

    def __init__(self, refuses: int) -> None:
        self.messages: list[dict[str, Any]] = []
        self.refuses, self.answers = refuses, 200
        super().__init__(("127.0.0.1", 0), _Taking)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/services/a-secret"


class _Taking(BaseHTTPRequestHandler):
    server: _Chat

    def do_POST(self) -> None:  # as http.server calls it
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.refuses -= 1
        if self.server.refuses < 0:
            self.server.messages.append(json.loads(body))
        self.send_response(self.server.answers if self.server.refuses < 0 else 503)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


LATE = Check("spend", "users", "me", "freshness", "offline", Verdict.ALERT, "late")


def begun(at: int, unkept: str | None = None) -> Watched:
    return Watched(Round(at, at, (LATE,)), (LATE,), (), (), unkept=unkept)


@contextmanager
def _chat(refuses: int = 0) -> Iterator[_Chat]:
    with _Chat(refuses) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_a_chat_is_told_what_begins_and_what_is_over(project: Path, fsync: Fsync) -> None:
    with _chat(refuses=2) as chat:
        tell = ("watch", "user_lifetime", "--webhook", chat.url, "--project-dir", project)
        assert fsync(*tell, "--as-of", "1998-07-01").code == 0  # nothing new
        assert fsync(*tell, "--as-of", "1998-07-02").code == 1  # late
        others = ("watch", "user_id__orders_stream", "--as-of", "1998-07-02T12:00:00", "--project-dir", project)
        fsync(*others)  # what others see in between changes nothing
        assert fsync(*tell, "--as-of", "1998-07-03").code == 1  # still late
        spec = project / "feature_specs/user_lifetime.yml"
        spec.write_text(spec.read_text().replace('freshness: "1d"', 'freshness: "9d"'))
        ended = fsync(*tell, "--as-of", "1998-07-04")  # no more
    assert ended.code == 0
    assert "a-secret" not in ended.out + ended.err
    begun, over = (message["text"] for message in chat.messages)
    assert begun.startswith("*fsync*: 2 alerting as of 1998-07-02T00:00:00Z\n:red_circle: freshness of user_")
    assert "(crm): its newest event is 2 d old" in begun
    assert over.startswith("*fsync*: 0 alerting as of 1998-07-04T00:00:00Z\n:white_check_mark: freshness of user_")


def test_a_chat_is_told_what_somebody_has_seen_by_hand(project: Path, fsync: Fsync) -> None:
    late = ("watch", "user_lifetime", "--as-of", "1998-07-02", "--project-dir", project)
    with _chat() as chat:
        assert fsync(*late).code == 1
        assert fsync(*late, "--webhook", chat.url).code == 1
        assert fsync(*late).code == 1
        assert fsync(*late, "--webhook", chat.url).code == 1
    assert len(chat.messages) == 1, "and once"


def test_a_chat_that_was_down_is_told_when_it_is_back(
    project: Path, fsync: Fsync, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "_RETRIES", 0)
    tell = ("watch", "user_lifetime", "--as-of", "1998-07-02", "--project-dir", project)
    with _chat(refuses=2) as chat:
        for _ in range(2):
            ended = fsync(*tell, "--webhook", chat.url)
            assert "does not take messages (503); the next round tells it again" in ended.err
        for _ in range(2):
            assert "not told" not in fsync(*tell, "--webhook", chat.url).err
    (message,) = chat.messages
    assert message["text"].startswith("*fsync*: 2 alerting")


def test_two_that_look_at_once_tell_a_chat_once(project: Path, fsync: Fsync) -> None:
    """As cron starts them, each in a process of its own: what has begun is found by the one that keeps it."""
    with _chat() as chat:
        program = [sys.executable, "-c", "from fsync_cli.main import main; main()"]
        command = [*program, "watch", "user_lifetime", "--once", "--as-of", "1998-07-02"]
        both = [
            subprocess.Popen([*command, "--webhook", chat.url, "--project-dir", str(project)], stderr=subprocess.PIPE)
            for _ in range(2)
        ]
        for one in both:
            _, said = one.communicate(timeout=120)
            assert one.returncode == 1, said
    assert len(chat.messages) == 1


def test_a_chat_hears_that_nothing_could_be_looked_at(project: Path, fsync: Fsync) -> None:
    (project / "warehouse.duckdb").unlink()
    with _chat() as chat:
        ended = fsync("watch", "--webhook", chat.url, "--project-dir", project)
    assert ended.code == 2
    (message,) = chat.messages
    assert message["text"].startswith("*fsync*: nothing could be looked at: there is no warehouse at ")


def test_a_chat_knows_what_it_was_told_and_is_told_what_it_was_not() -> None:
    """Within one process, whether the history is kept or not."""
    with _chat() as chat:
        sent = webhook.Webhook(chat.url)
        sent.send("shop", begun(1))
        sent.send_problem("shop", "no warehouse")
        sent.send_problem("shop", "no warehouse")  # as before
        sent.close()
        assert (sent.undelivered(), sent.chat.amended) == ((), {}), "the warehouse knows"
        chat.answers = 404
        sent.send("shop", begun(2))
        sent.send_problem("shop", "no warehouse")
        sent.close()
        assert sent.undelivered() == ("the webhook at 127.0.0.1 does not take messages (404)",) * 2
        assert sent.chat.amended == {("spend", "freshness", "offline"): "ok"}, "it does not know that it alerts"
        chat.answers = 200
        sent.send_problem("shop", "no warehouse")
        sent.close()
    told = [message["text"].partition("\n")[0] for message in chat.messages]
    blind = "*shop*: nothing could be looked at: no warehouse"
    alerting = "*shop*: 1 alerting as of 1970-01-01T00:00:00.00{}Z"
    assert told == [alerting.format(1), blind, alerting.format(2), blind, blind]


def test_whoever_cannot_be_told_the_others_are() -> None:
    told: list[str] = []

    def closed(*_: object) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        tell_all([closed, lambda *_: told.append("chat"), lambda *_: told.append("page")], None, None)  # type: ignore[arg-type]
    assert told == ["chat", "page"]


def test_a_message_that_is_sent_elsewhere_is_not_delivered() -> None:
    """A client that follows asks there with GET, and without the message."""
    with _chat() as chat:
        chat.answers = 301
        sent = webhook.Webhook(chat.url)
        sent.send("shop", begun(0))
        sent.close()
    assert sent.undelivered() == ("the webhook at 127.0.0.1 does not take messages (301)",)


def test_a_host_that_cannot_be_one_keeps_no_later_message_back() -> None:
    sent = webhook.Webhook(f"http://{'x' * 70}.example/services/a-secret")
    for _ in range(2):
        sent.send("shop", begun(0))
    sent.close()
    assert sent.undelivered() == (f"the webhook at {'x' * 70}.example cannot be asked (LocationParseError)",) * 2


def test_a_chat_that_does_not_answer_holds_nothing_up(
    project: Path, fsync: Fsync, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook.Webhook.close, "__defaults__", (0.5,))
    url = f"http://127.0.0.1:{free_port()}/services/a-secret"
    began = time.monotonic()
    ended = fsync("watch", "--as-of", LATER, "--webhook", url, "--project-dir", project)
    assert time.monotonic() - began < 5
    assert ended.code == 1
    assert "not told: the webhook at 127.0.0.1 has not taken a message within 0.5 s; the next" in ended.err
    assert "a-secret" not in ended.err


def test_what_a_chat_would_read_as_its_own_is_escaped() -> None:
    assert webhook._escaped("a < b & <!channel>") == "a &lt; b &amp; &lt;!channel&gt;"


def test_people_are_told_even_if_a_file_cannot_be_written(project: Path, fsync: Fsync, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with _chat() as chat:
        ended = fsync(
            *("watch", "--as-of", LATER, "--webhook", chat.url, "--project-dir", project),
            *("--html", tmp_path / "file/page.html", "--prometheus", tmp_path / "no/such/folder"),
        )
    assert ended.code == 2
    assert "user_30d_spend" in ended.out
    assert "cannot be written" in ended.err
    assert len(chat.messages) == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (("--webhook", "http://[bad"), "a webhook is a URL"),
        (("--html", "."), "is a folder"),
        (("--as-of", "yesterday"), "is not a time"),
        (("--every", "soon"), "--every: 'soon' is not a duration"),
        (("--sample", "1"), "greater than or equal to 100"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_looked_at(
    wrong: tuple[str, str], said: str, project: Path, fsync: Fsync
) -> None:
    ended = fsync("watch", *wrong, "--project-dir", project)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err


def test_the_first_instant_there_is_can_be_looked_at(project: Path, fsync: Fsync) -> None:
    code, found = _watch(fsync, project, "--as-of", "0001-01-01")
    assert code == 1  # there was no event yet
    assert {signal for _, signal, _ in _alerts(found)} == {"freshness"}


def test_metrics_are_written_for_prometheus(project: Path, fsync: Fsync, tmp_path: Path) -> None:
    file = tmp_path / "fsync.prom"
    assert fsync("watch", "--as-of", LATER, "--prometheus", file, "--project-dir", project).code == 1
    text = file.read_text()
    labels = (
        'feature="user_30d_spend",owner="growth-ml",side="offline",signal="freshness",view="user_id__orders_stream"'
    )
    assert f"fsync_watch_alert{{{labels}}} 1.0" in text
    assert f"fsync_watch_value{{{labels}}} 86400.0" in text
    assert f"fsync_watch_threshold{{{labels}}} 3600.0" in text
    assert 'fsync_watch_kept{feature="user_30d_spend",owner="growth-ml",promise="freshness"' in text
    assert "fsync_watch_timestamp_seconds" in text


def test_a_port_is_served_by_a_watch_that_goes_on_alone(project: Path, fsync: Fsync) -> None:
    for wrong, said in ((":9464", "a port is served by a watch that goes on"), (":http", ":http is no port")):
        ended = fsync("watch", "--once", "--prometheus", wrong, "--project-dir", project)
        assert ended.code == 2
        assert said in ended.err
    port = free_port()
    Metrics().serve(port)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        assert answer.status == 200
    with pytest.raises(Exception, match="cannot be served"):
        Metrics().serve(port)


# ---------------------------------------------------------------- again and again


def test_it_looks_again_and_again_until_it_is_ended(project: Path, tmp_path: Path) -> None:
    """Of data that goes on: as of now, when everything is long late. A round that fails is told, and the next made."""
    settings = yaml.safe_load((project / "dbt_project.yml").read_text())
    del settings["vars"]["fsync"]["as_of"]
    (project / "dbt_project.yml").write_text(yaml.safe_dump(settings))
    port = free_port()
    command = [sys.executable, "-c", "from fsync_cli.main import main; main()", "watch", "--every", "1s", "--json"]
    command += ["--project-dir", str(project), "--prometheus", f":{port}"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        second = json.loads(process.stdout.readline())  # what the first round told is everywhere by now
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            assert b"fsync_watch_alert{" in answer.read()
        spec = project / "feature_specs/user_lifetime.yml"
        good = spec.read_text()
        spec.write_text(good.replace("owner: crm", "owner: []"))
        time.sleep(2.5)
        spec.write_text(good)
        third = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 130, said
    assert first["alerts"] >= 10
    assert first["at"] < second["at"] < third["at"]
    assert "error[wrong-type]" in said
    assert len(_kept(project, "select distinct watched_at from fsync_watch")) >= 3
