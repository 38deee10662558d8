"""`fsync new`: what it writes teaches, compiles and passes every check; what it refuses is not written."""

from __future__ import annotations

import json
import os
import pty
import random
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from fsync.language.transformations import FORMS
from fsync.scaffold.text import FeatureParts, ServiceParts, feature_text, service_text, with_window
from fsync.spec.document import read
from fsync.spec.schema import feature_schema, service_schema
from fsync.spec.source import Column, Source
from tests.conftest import ROOT, Ended, copy_reference, settings

Fsync = Callable[..., Ended]
PARTS = ("feature_specs", "models", "macros", "dbt_project.yml", "profiles.yml")
SPEND = ("--source", "orders_stream", "--entity", "user_id", "--owner", "growth-ml")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The reference's specs and models, in a folder with a space."""
    return copy_reference(tmp_path / "a project", PARTS)


def _files(folder: Path) -> Mapping[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _spec(project: Path, name: str) -> Any:
    return yaml.safe_load((project / f"feature_specs/{name}.yml").read_text())


# ---------------------------------------------------------------- by options


def test_a_feature_by_options(project: Path, fsync: Fsync) -> None:
    computes = ("--transformation", "window_max(quantity, 2w)", "--where", "amount > 0", "--every", "1d")
    ended = fsync("new", *SPEND, *computes, "--project-dir", project)
    name = "user_14d_quantity_max"
    assert (ended.code, ended.out) == (0, f"{project / f'feature_specs/{name}.yml'}\n"), ended.err
    assert "fsync compile" in ended.err
    assert "fsync build" in ended.err
    assert _spec(project, name) == {
        "name": name,
        "entity": "user_id",
        "source": "orders_stream",
        "transformation": "window_max(quantity, 2w)",
        "where": "amount > 0",
        "every": "1d",
        "description": "Largest quantity in the last 14 days, where amount > 0.",
        "owner": "growth-ml",
        "sla": {"freshness": "1h"},
        "pii": False,
    }
    text = (project / f"feature_specs/{name}.yml").read_text()
    assert "columns of orders_stream: amount decimal(10,2), order_id bigint" in text
    assert max(map(len, text.splitlines())) <= 120
    assert fsync("check", "--strict", "--project-dir", project).code == 0
    assert fsync("compile", "--project-dir", project).code == 0
    assert name in (project / "models/features/user_id__orders_stream__1d.sql").read_text()


def test_everything_that_can_be_said(project: Path, fsync: Fsync) -> None:
    said = ("--transformation", "window_sum(amount)", "--window", "45d", "--view", "spenders", "--description", "US $")
    more = ("--pii", "--freshness", "5m", "--backfill-from", "1997-02-15", "--backfill-note", "data: from # January")
    assert fsync("new", "spent", *SPEND, *said, *more, "--project-dir", project).code == 0
    spec = _spec(project, "spent")
    assert (spec["transformation"], spec["view"], spec["description"]) == (
        "window_sum(amount, 45d)",
        "spenders",
        "US $",
    )
    assert (spec["pii"], spec["sla"]) == (True, {"freshness": "5m"})
    assert spec["backfill"] == {"from": date(1997, 2, 15), "note": "data: from # January"}
    assert fsync("compile", "--project-dir", project).code == 0


@pytest.mark.parametrize("form", FORMS)
def test_a_feature_of_every_form_compiles(form: str, project: Path, fsync: Fsync) -> None:
    transformation, reach = FORMS[form]
    column = "amount * quantity" if transformation.name in ("sum", "percentile") else "quantity"
    written = f"{form}({', '.join([column, *(['0.95'] if transformation.takes_fraction else [])])})"
    window = ("--window", "45d") if reach == "window" else ()
    ended = fsync("new", *SPEND, "--transformation", written, *window, "--project-dir", project, "--json")
    assert ended.code == 0, ended.err
    made = json.loads(ended.out)
    assert made["warnings"] == [] or form in ("latest", "lifetime_last")  # the reference has that one
    spec = yaml.safe_load(made["text"])
    assert Draft202012Validator(feature_schema()).is_valid(spec)
    assert spec["description"].startswith(tuple("NSMLFP")), spec["description"]
    assert not spec["description"].startswith(transformation.name)
    checked = fsync("check", "--project-dir", project)
    assert (checked.code, "feature-name" in checked.out) == (0, False), checked.out
    assert fsync("compile", "--project-dir", project).code == 0


def test_a_bare_count(project: Path, fsync: Fsync) -> None:
    ended = fsync("new", *SPEND, "--transformation", "window_count", "--window", "7d", "--project-dir", project)
    assert ended.code == 0, ended.err
    assert _spec(project, "user_7d_orders_stream_count")["transformation"] == "window_count(7d)"


def test_an_entity_of_several_columns(project: Path, fsync: Fsync) -> None:
    said = ("--source", "orders_stream", "--entity", "USER_ID, quantity", "--owner", "crm")
    assert fsync("new", *said, "--transformation", "window_count(7d)", "--project-dir", project).code == 0
    assert _spec(project, "user_quantity_7d_orders_stream_count")["entity"] == ["USER_ID", "quantity"]
    assert fsync("compile", "--project-dir", project).code == 0


def test_a_derived_feature_is_named_by_whoever_wants_it(project: Path, fsync: Fsync) -> None:
    said = (*SPEND, "--transformation", "user_30d_spend / 30", "--project-dir", project)
    ended = fsync("new", *said)
    assert (ended.code, ended.out) == (2, "")
    assert "missing: NAME" in ended.err
    assert fsync("new", "user_30d_daily_spend", *said).code == 0
    assert fsync("compile", "--project-dir", project).code == 0


def test_what_is_likely_can_be_taken_at_once(project: Path, fsync: Fsync) -> None:
    ended = fsync("new", "--yes", "--transformation", "window_avg(quantity, 7d)", "--project-dir", project)
    assert ended.code == 0, ended.err
    spec = _spec(project, "user_7d_quantity_avg")
    assert (spec["source"], spec["entity"], spec["owner"]) == ("orders_stream", "user_id", "growth-ml")


def test_a_dry_run_writes_nothing(project: Path, fsync: Fsync) -> None:
    before = _files(project)
    said = (*SPEND, "--transformation", "window_avg(quantity, 7d)", "--project-dir", project)
    ended = fsync("new", *said, "--dry-run")
    assert ended.code == 0
    assert _files(project) == before
    assert yaml.safe_load(ended.out)["name"] == "user_7d_quantity_avg"
    told = json.loads(fsync("new", *said, "--dry-run", "--json").out)
    assert (told["dry_run"], told["text"]) == (True, ended.out)
    assert _files(project) == before
    assert fsync("new", *said).code == 0
    assert (project / "feature_specs/user_7d_quantity_avg.yml").read_text() == ended.out


def test_a_warning_is_told_after(project: Path, fsync: Fsync) -> None:
    ended = fsync("new", *SPEND, "--transformation", "window_sum(amount, 30d)", "--project-dir", project)
    assert ended.code == 0
    assert "warning[duplicate-feature]: 'user_30d_amount_sum' means the same as 'user_30d_spend'" in ended.err
    assert "--> feature_specs/user_30d_amount_sum.yml:" in ended.err


def test_the_path_can_be_used_where_the_command_was_called(
    project: Path, fsync: Fsync, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project / "models")
    ended = fsync("new", *SPEND, "--transformation", "window_avg(quantity, 7d)")
    assert Path(ended.out.strip()).is_file()
    monkeypatch.chdir(project)
    ended = fsync("new", *SPEND, "--transformation", "window_avg(quantity, 8d)")
    assert ended.out == "feature_specs/user_8d_quantity_avg.yml\n"


# ---------------------------------------------------------------- classes


def _classed(project: Path, classes: str) -> None:
    staging = project / "models/staging/_staging.yml"
    text = staging.read_text()
    staging.write_text(text.replace("- name: quantity\n", f"- name: quantity\n        config: {{meta: {classes}}}\n"))


@pytest.mark.parametrize(
    ("classes", "key", "value"),
    [("{pii: true}", "pii", True), ("{classification: [pci, pii]}", "classification", ["pci", "pii"])],
)
def test_what_shows_values_of_a_class_is_classed(
    classes: str, key: str, value: object, project: Path, fsync: Fsync
) -> None:
    _classed(project, classes)
    service = project / "feature_specs/user_lifetime.yml"
    service.write_text(service.read_text().replace("latest(quantity)", "latest(amount)"))
    said = (*SPEND, "--transformation", "window_last(quantity, 7d)", "--project-dir", project)
    refused = fsync("new", *said, "--not-pii")
    assert (refused.code, refused.out) == (2, "")
    assert "error[unclassed-exposure]" in refused.err
    assert fsync("new", *said).code == 0
    assert _spec(project, "user_7d_quantity_last")[key] == value
    # a count shows nobody
    assert fsync("new", *SPEND, "--transformation", "window_count(quantity, 7d)", "--project-dir", project).code == 0
    assert _spec(project, "user_7d_quantity_count")["pii"] is False


# ---------------------------------------------------------------- refusals


def _refused(project: Path, fsync: Fsync, *said: str, code: int = 2) -> str:
    before = _files(project)
    ended = fsync("new", *said, "--project-dir", project)
    assert (ended.code, ended.out) == (code, ""), ended
    assert _files(project) == before
    return ended.err


def test_all_that_is_missing_is_told_at_once(project: Path, fsync: Fsync) -> None:
    told = _refused(project, fsync)
    assert "missing: --source, --entity, --transformation, --owner" in told
    assert "--source orders_stream, --entity user_id, --owner growth-ml" in told
    told = _refused(project, fsync, "--yes")
    assert "missing: --transformation" in told
    assert "missing: --features, --owner" in _refused(project, fsync, "--service", "a")


def test_a_name_that_is_taken(project: Path, fsync: Fsync) -> None:
    said = (*SPEND, "--transformation", "window_sum(amount, 30d)")
    told = _refused(project, fsync, "user_30d_spend", *said)
    assert "there is a feature 'user_30d_spend' already: feature_specs/user_spend.yml:" in told
    # somebody's file, whatever is in it
    (project / "feature_specs/other.yml").write_text("# not yet\n")
    assert "feature_specs/other.yml stands there already" in _refused(project, fsync, "other", *said)
    (project / "feature_specs/lost.yml").symlink_to("nowhere")
    assert "feature_specs/lost.yml stands there already" in _refused(project, fsync, "lost", *said)
    (project / "feature_specs/folder.yml").mkdir()
    assert "feature_specs/folder.yml stands there already" in _refused(project, fsync, "folder", *said)


@pytest.mark.parametrize("name", ["Spend", "../spend", "a/b", "", "30d", "a" * 101, "services/x", "a.b", "é"])
def test_what_cannot_be_a_name(name: str, project: Path, fsync: Fsync) -> None:
    said = (*SPEND, "--transformation", "window_sum(amount, 30d)")
    assert f"{name!r} cannot be a name" in _refused(project, fsync, name, *said)
    features = ("--features", "user_30d_spend", "--owner", "crm")
    assert f"{name!r} cannot be a name" in _refused(project, fsync, f"--service={name}", *features)


def test_a_source_that_is_not_there(project: Path, fsync: Fsync) -> None:
    said = ("--source", "orders_strem", "--entity", "user_id", "--owner", "crm")
    told = _refused(project, fsync, *said, "--transformation", "window_sum(amount, 30d)")
    assert "error[unknown-source]: no dbt model or source is called 'orders_strem'" in told
    assert "--> feature_specs/user_30d_amount_sum.yml:9:9" in told
    assert "did you mean 'orders_stream'?" in told


@pytest.mark.parametrize(
    ("transformation", "told", "marked"),
    [
        ("window_sum(amont, 30d)", "error[unknown-column]", "^^^^^"),
        ("window_sum(amount, 30d", "error[unparsable-sql]", "^"),
        ("window_sun(amount, 30d)", "did you mean 'window_sum'?", "^^^^^^^^^^"),
        ("window_sum(amount, 30x)", "error[bad-duration]", "^^^"),
        ("window_sum(amount)", "error[wrong-arguments]", "^^^^^^^^^^^^^^^^^"),
        ("window_sum(amount, 1d); drop table x", "error[unparsable-sql]", "^"),
        ("", "error[bad-value]: 'transformation' is empty", "^^"),
    ],
)
def test_a_fault_of_the_transformation_is_told_with_its_place(
    transformation: str, told: str, marked: str, project: Path, fsync: Fsync
) -> None:
    err = _refused(project, fsync, "a", *SPEND, "--transformation", transformation)
    assert told in err
    assert f"  | {' ' * len('transformation: ')}" in err
    assert f" {marked}" in err
    assert _refused(project, fsync, *SPEND, "--transformation", transformation), "without a name too"


def test_what_the_team_does_not_want(project: Path, fsync: Fsync) -> None:
    said = ("--source", "orders_stream", "--entity", "user_id", "--transformation", "window_sum(amount, 30d)")
    told = _refused(project, fsync, *said, "--owner", "growth-m", code=1)
    assert "error[unknown-owner]" in told
    assert "did you mean 'growth-ml'?" in told


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (("--window", "30d", "--transformation", "lifetime_sum(amount)"), "only a window_…() has a window"),
        (("--window", "30d", "--transformation", "window_sum(amount, 30d)"), "has a window already"),
        (("--window", "soon", "--transformation", "window_sum(amount)"), "error[wrong-arguments]"),
        (("--backfill-from", "1997-01-01", "--transformation", "window_count(1d)"), "--backfill-note"),
        (
            ("--backfill-from", "1997", "--backfill-note", "a", "--transformation", "window_count(1d)"),
            "'1997' is no date",
        ),
        (("--features", "a", "--transformation", "window_count(1d)"), "--service"),
        (("--freshness", "soon", "--transformation", "window_count(1d)"), "error[bad-duration]"),
        (("--every", "often", "--transformation", "window_count(1d)"), "error[bad-duration]"),
        (("--where", "amount >", "--transformation", "window_count(1d)"), "error[unparsable-sql]"),
        (("--view", "a b", "--transformation", "window_count(1d)"), "error[bad-name]"),
        (("--description", " ", "--transformation", "window_count(1d)"), "error[bad-value]"),
        (("--description", "\udcff", "--transformation", "window_count(1d)"), "is not text"),
        (("--service", "a", "--transformation", "window_count(1d)"), "a service has --features"),
    ],
)
def test_options_that_are_wrong(said: tuple[str, ...], told: str, project: Path, fsync: Fsync) -> None:
    assert told in _refused(project, fsync, *SPEND, *said)


def test_a_fault_of_others_stops_nobody(project: Path, fsync: Fsync) -> None:
    (project / "feature_specs/other.yml").write_text("name: other\n")
    ended = fsync("new", *SPEND, "--transformation", "window_avg(quantity, 7d)", "--project-dir", project)
    assert ended.code == 0
    assert "in other specs: `fsync check` tells" in ended.err
    told = _refused(project, fsync, *SPEND, "--transformation", "window_avg(quantty, 8d)")
    assert "quantty" in told
    assert "other" not in told


# ---------------------------------------------------------------- services


def test_a_service(project: Path, fsync: Fsync) -> None:
    said = ("--features", "user_lifetime_spend, user_30d_spend", "--owner", "crm")
    ended = fsync("new", "--service", "next_month", *said, "--description", "For: whom?", "--project-dir", project)
    assert (ended.code, ended.out) == (0, f"{project / 'feature_specs/services/next_month.yml'}\n"), ended.err
    assert Draft202012Validator(service_schema()).is_valid(_spec(project, "services/next_month"))
    assert _spec(project, "services/next_month") == {
        "name": "next_month",
        "owner": "crm",
        "description": "For: whom?",
        "features": ["user_lifetime_spend", "user_30d_spend"],
    }
    assert fsync("check", "--strict", "--project-dir", project).code == 0
    assert fsync("compile", "--project-dir", project).code == 0
    assert "there is a service 'next_month' already" in _refused(project, fsync, "--service", "next_month", *said)


def test_a_service_of_features_that_are_not_there(project: Path, fsync: Fsync) -> None:
    told = _refused(project, fsync, "--service", "a", "--owner", "crm", "--features", "user_30d_spent,user_7d_spend")
    assert "error[unknown-feature]" in told
    assert "did you mean 'user_30d_spend'?" in told
    told = _refused(project, fsync, "--service", "a", "--owner", "crm", "--features", "user_7d_spend", code=1)
    assert "error[missing-backfill]" in told


# ---------------------------------------------------------------- another project

CLICKS = """\
models:
  - name: clicks
    config: {event_time: at_time}
    columns:
      - {name: id, data_type: integer, data_tests: [unique]}
      - {name: at_time, data_type: timestamp}
      - {name: page, data_type: text}
      - {name: visitor_id, data_type: text}
      - {name: untyped}
"""


def test_in_a_project_of_another_name(tmp_path: Path, fsync: Fsync) -> None:
    shop = tmp_path / "the shop"
    (shop / "models").mkdir(parents=True)
    (shop / "dbt_project.yml").write_text("name: shop\nprofile: shop\nvars: {fsync: {owners: ['*']}}\n")
    (shop / "models/clicks.yml").write_text(CLICKS)
    (shop / "models/clicks.sql").write_text("select 1 as id")
    who = {"HOME": str(tmp_path), "GIT_CONFIG_GLOBAL": str(tmp_path / "gitconfig")}
    (tmp_path / "gitconfig").write_text('[user]\n\tname = "Ann: #1"\n')
    with pytest.MonkeyPatch.context() as patch:
        for name, value in who.items():
            patch.setenv(name, value)
        ended = fsync("new", "--yes", "--transformation", "latest(page)", "--project-dir", shop)
    assert ended.code == 0, ended.err
    spec = _spec(shop, "visitor_latest_page")
    assert (spec["entity"], spec["owner"], spec["sla"]) == ("visitor_id", "Ann: #1", {"freshness": "1d"})
    assert (
        "visitor_id text, at_time timestamp, untyped ?" in (shop / "feature_specs/visitor_latest_page.yml").read_text()
    )
    assert fsync("compile", "--project-dir", shop).code == 0
    assert fsync("check", "--project-dir", shop).code == 0


def test_the_template_of_a_project_names_features(project: Path, fsync: Fsync) -> None:
    policy = {"name_template": "f_<what>_of_<entity>", "checks": {"feature-name": "error"}}
    (project / "dbt_project.yml").write_text(settings(policy))
    shutil.rmtree(project / "feature_specs")
    ended = fsync("new", *SPEND, "--transformation", "window_avg(quantity, 7d)", "--project-dir", project)
    assert ended.code == 0, ended.err
    assert _spec(project, "f_quantity_avg_of_user")["name"] == "f_quantity_avg_of_user"


def test_no_project(tmp_path: Path, fsync: Fsync) -> None:
    ended = fsync("new", "--project-dir", tmp_path)
    assert (ended.code, "there is no dbt_project.yml" in ended.err) == (2, True)


# ---------------------------------------------------------------- at a terminal


def _at_a_terminal(project: Path, answers: list[str], *said: str) -> tuple[int, str, str]:
    """The exit code, what a pipe on stdout got, and what the person saw."""
    own, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": "200"}
    command = [str(Path(sys.executable).parent / "fsync"), "new", *said]
    process = subprocess.Popen(
        command, cwd=project, env=environment, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs
    )
    os.close(theirs)
    seen, waiting, until = "", list(answers), time.monotonic() + 30
    while time.monotonic() < until:
        if select.select([own], [], [], 0.1)[0]:
            try:
                seen += os.read(own, 4096).decode()
            except OSError:  # nobody holds the other end any more
                break
        elif waiting and seen.endswith(": "):
            os.write(own, f"{waiting.pop(0)}\n".encode())
            seen += " "  # an answer belongs to one question
    os.close(own)
    if process.poll() is None and time.monotonic() >= until:
        process.kill()
    out, _ = process.communicate()
    return process.returncode, out.decode(), seen.replace("\r\n", "\n")


def test_a_person_is_asked(project: Path) -> None:
    wrong = ["order_stream", "", "usr_id", "", "window_sum(amont, 30d)", "window_sum(quantity, 90d)"]
    rest = ["user_30d_spend", "", "CDs bought: the # of them.", "me", "crm", "", "soon", "5m", "y"]
    code, out, seen = _at_a_terminal(project, [*wrong, *rest])
    assert (code, out) == (0, "feature_specs/user_90d_quantity_sum.yml\n"), seen
    for told in (
        "source [orders_stream]:",
        "no dbt model or source is called 'order_stream'",
        "entity [user_id]:",
        "did you mean 'user_id'?",
        "columns of orders_stream: amount decimal(10,2)",
        "did you mean 'amount'?",
        "there is a feature 'user_30d_spend' already",
        "name [user_90d_quantity_sum]:",
        "description [Sum of quantity in the last 90 days.]:",
        "vars.fsync.owners has: growth-ml, crm",
        "'soon' is not a duration",
        "# how old a value may be",
        "write feature_specs/user_90d_quantity_sum.yml?",
    ):
        assert told in seen, told
    spec = _spec(project, "user_90d_quantity_sum")
    assert (spec["description"], spec["owner"]) == ("CDs bought: the # of them.", "crm")
    assert (spec["sla"], spec["pii"]) == ({"freshness": "5m"}, False)


def test_what_is_given_is_not_asked(project: Path) -> None:
    said = ("--source", "orders_stream", "--transformation", "window_sum(quantity, 90d)", "--owner", "crm", "--pii")
    code, out, seen = _at_a_terminal(project, ["", "", "", "1d", "n"], *said)
    assert (code, out) == (1, ""), seen
    assert "nothing is written" in seen
    assert not any(f"{key} [" in seen or f"{key}: \n" in seen for key in ("source", "owner"))
    assert not (project / "feature_specs/user_90d_quantity_sum.yml").exists()


def test_a_person_who_gives_everything_is_asked_nothing(project: Path) -> None:
    code, out, seen = _at_a_terminal(project, [], *SPEND, "--transformation", "window_sum(quantity, 90d)")
    assert (code, out) == (0, "feature_specs/user_90d_quantity_sum.yml\n"), seen
    assert "?" not in seen


def test_a_person_breaks_off(project: Path) -> None:
    before = _files(project)
    code, out, seen = _at_a_terminal(project, ["orders_stream", "\x04"])
    assert (code, out) == (130, ""), seen
    assert "Traceback" not in seen
    assert _files(project) == before


def test_a_person_is_asked_for_a_service(project: Path) -> None:
    answers = ["user_30d_spent", "user_30d_spend,user_lifetime_spend", "For whom?", "", "y"]
    code, out, seen = _at_a_terminal(project, answers, "--service", "whom")
    assert (code, out) == (0, "feature_specs/services/whom.yml\n"), seen
    assert "did you mean 'user_30d_spend'?" in seen
    assert _spec(project, "services/whom")["owner"] == "growth-ml"


# ---------------------------------------------------------------- texts

HOSTILE = [
    *("x\nowner: y", "a: b", "# no", "- a", "'", '"', "''", "a\\b", "%TAG", "&a", "*a", "!!int 1", "{a: b}", "[a"),
    *("yes", "null", "~", "1", "1.5", "1997-01-01", "0x1f", " a ", "\ta", "a\t", "|", ">", "---", "...", "a\n...\nb"),
    *(
        "é",
        "日本",
        "🙂",
        "\u2028x: y",
        "\u0085y: z",
        "\ufeffa",
        "\x07",
        "\x00",
        "a\r\nb: c",
        "a\n\n  b\n",
        "\n",
        "?a",
        "@a",
    ),
    *("x" * 500, "two words " * 40, "{{ jinja }}", "a #b", "a:", ": a", "<<", "=", "\x7f", "\xa0", "'\n\"\n# x"),
]


def _parts(text: str) -> FeatureParts:
    return FeatureParts(
        name="a",
        entity=(text, "b"),
        source=text,
        transformation=text,
        owner=text,
        where=text,
        every=text,
        view=text,
        description=text,
        freshness=text,
        classes=("pci",),
        backfill=(date(1997, 1, 1), text),
    )


def _hostile_source(text: str) -> Source:
    document, _ = read("a.yml", "a: b")
    assert document is not None
    columns = {text: Column(text, text, None)}
    return Source(text, "", text, columns, (), None, False, document.place(()))


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_can_break_out_of_its_key(text: str) -> None:
    said = yaml.safe_load(feature_text(_parts(text), _hostile_source(text)))
    assert said == {
        "name": "a",
        "entity": [text, "b"],
        **dict.fromkeys(("source", "transformation", "owner", "where", "every", "view", "description"), text),
        "sla": {"freshness": text},
        "classification": ["pci"],
        "backfill": {"from": date(1997, 1, 1), "note": text},
    }
    assert yaml.safe_load(service_text(ServiceParts("a", text, (text,), text))) == {
        "name": "a",
        "owner": text,
        "description": text,
        "features": [text],
    }


def test_no_random_text_can_either() -> None:
    chance = random.Random(20)
    letters = "ab \n\t:#-'\"\\{}[],&*!|>%@`?~\r\x85\u2028é🙂0"
    for _ in range(500):
        text = "".join(chance.choices(letters, k=chance.randint(1, 20)))
        said = yaml.safe_load(feature_text(_parts(text), _hostile_source(text)))
        assert {said[key] for key in ("source", "transformation", "owner", "where", "description")} == {text}
        assert said["entity"] == [text, "b"]
        assert len(said) == 12


def test_lines_of_sql_stay_lines() -> None:
    text = "window_sum(\n  case when amount > 0\n       then amount end,\n  30d)"
    written = feature_text(FeatureParts("a", ("b",), "c", text, "d"), None)
    assert "transformation: |-\n  window_sum(\n    case when" in written


@pytest.mark.parametrize(
    ("transformation", "written"),
    [
        ("window_sum(amount)", "window_sum(amount, 30d)"),
        ("WINDOW_COUNT", "window_count(30d)"),
        ("window_count()", "window_count(30d)"),
        (" window_percentile( amount, 0.9 ) ", "window_percentile(amount, 0.9, 30d)"),
        ("window_sum(coalesce(a, (b)))", "window_sum(coalesce(a, (b)), 30d)"),
    ],
)
def test_a_window_that_is_said_apart(transformation: str, written: str) -> None:
    assert with_window(transformation, "30d") == written


def test_the_reference_is_not_touched() -> None:
    assert not (ROOT / "feature_specs/user_7d_quantity_avg.yml").exists()
