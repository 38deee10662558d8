"""What a person writes into a spec stays text: no SQL, Jinja or YAML gets from it into what dbt reads and runs.

Each hostile text stands under every key that takes one. Where it is refused, the error says where it stands. Where it
is a text like any other, all of them are built by one real dbt: none may make a table or a file, raise, or see the
environment; and each has to come out of dbt to the letter, as description, as meta, as default and as value.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from fsync.check import check
from fsync.compile import compile_project
from fsync.dbt import run_dbt
from fsync.files import compiled_files
from fsync.plan import make_plan
from fsync.spec.catalog import load_catalog
from fsync.spec.feature import NAME_PATTERN
from fsync.spec.issue import Issue
from fsync.spec.project import Project, open_project
from tests.conftest import BARE, copy_reference

#: what a text must not get at; it stands in the environment of dbt
CANARY, SECRET = "INJECTION_CANARY", "canary-7f3a91"
#: what a text must not make: any table, column or file of this name
PWNED = "pwned"

SQL = (
    "'); create table pwned as select 1; --",
    "' || (select 'pwned') || '",
    "''; drop table events; --",
    '"; create table pwned as select 1; --',
    '"pwned"."x"',
    "$$; create table pwned as select 1; $$",
    "$dbt$ pwned $dbt$",
    "*/ create table pwned as select 1; /*",
    "/* pwned",
    "-- pwned",
    "\n; create table pwned as select 1;\n--",
    "\\'; create table pwned as select 1; --",
    "\\",
    "'",
    "''",
    '"',
    "e'\\'; create table pwned as select 1; --'",
    "‘; create table pwned as select 1; ’",
    "ʼ; create table pwned as select 1; --",
    "＇; create table pwned as select 1; --",
    "%s %(x)s %% ?1 :x $1 @x",
    "read_csv('/etc/passwd')",
    "copy (select 1) to 'pwned'",
    "attach 'pwned' as p; use p",
    "pragma database_list",
    "install httpfs; load httpfs",
    "call pragma_version()",
    "union all select 1",
)
JINJA = (
    "{{ env_var('INJECTION_CANARY') }}",
    "{{ exceptions.raise_compiler_error('pwned') }}",
    "{% do run_query('create table pwned as select 1') %}",
    "{%- set pwned = env_var('INJECTION_CANARY') -%}{{ pwned }}",
    "{# pwned",
    "pwned #}",
    "{% raw %}",
    "{% endraw %}{{ env_var('INJECTION_CANARY') }}{% raw %}",
    '{{ "{{" }} env_var(\'INJECTION_CANARY\') {{ "}}" }}',
    "{{{{ env_var('INJECTION_CANARY') }}}}",
    "{{{ x }}}",
    "{{ '{%' }} do run_query('select 1') {{ '%}' }}",
    "{{ '}}",
    "}} {{ env_var('INJECTION_CANARY')",
    "%} {% do run_query('create table pwned as select 1')",
    "{% endmacro %}{{ env_var('INJECTION_CANARY') }}{% macro pwned() %}",
    "{% macro pwned() %}{{ env_var('INJECTION_CANARY') }}{% endmacro %}",
    "{% include '/etc/passwd' %}",
    "{{ config(alias='pwned', materialized='table') }}",
    "{{ ref('pwned') }}",
    "{{ doc('pwned') }}",
    "{\n{ env_var('INJECTION_CANARY') }}",
    "{\\{ env_var('INJECTION_CANARY') }}",
    "\\u007b{ env_var('INJECTION_CANARY') }}",
    "# for x in y\n## pwned",
    "{{ 7 * 7 }}",
    "{[ 'a', '{{' ]}",
    "'{{' + '}}'",
    "[1, '#}']",
    "{",
    "a {",
    "{{",
    "{%",
    "%}",
)
YAML = (
    "text\n- pwned",
    "text\nconfig: {alias: pwned}",
    "text: !!python/object/apply:os.system ['touch pwned']",
    "- text",
    ": text",
    "# text",
    "text # text",
    "&pwned text",
    "*pwned",
    "---\nmodels: []",
    "...",
    "%YAML 1.2",
    "| text",
    "> text",
    "!!binary aGk=",
    "<<: {a: b}",
    "'text",
    '"text\\"',
    "\\x41\\u0041\\n",
    "null",
    "~",
    "yes",
    "1e3",
    "0x1F",
    "1:30",
    "2024-01-31",
    "{a: b}",
    "[a]",
    "a,b",
    "tab\there",
    "ends with a line\n",
    "ends with two\n\n",
    "{{\n",
    "\u2028 is a line for some",
    "two\n\n\n  lines",
    "nbsp\u00a0 zwsp\u200b rtl\u202e🙂 é e\u0301 ",
)
HOSTILE = (*SQL, *JINJA, *YAML)

EVENTS = """\
{{ config(materialized='table') }}
select 1 as order_id, 1 as user_id, timestamp '2024-01-31' as happened_at, 'web' as channel,
    5.00::decimal(10, 2) as amount
"""
DECLARED: Mapping[str, Any] = {
    "models": [
        {
            "name": "events",
            "config": {"event_time": "happened_at"},
            "columns": [
                {"name": "order_id", "data_type": "integer", "data_tests": ["unique"]},
                {"name": "user_id", "data_type": "integer"},
                {"name": "happened_at", "data_type": "timestamp"},
                {"name": "amount", "data_type": "decimal(10,2)"},
                {"name": "channel", "data_type": "varchar"},
            ],
        }
    ]
}


def literal(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def features(number: int, text: str) -> list[dict[str, Any]]:
    """A text in every key of features that takes any: as itself, or in quotes in SQL."""
    said = {
        "owner": text,
        "description": text,
        "tags": [text],
        "backfill": {"from": date(1997, 2, 1), "note": text},
        "deprecated": {"since": date(1997, 2, 1), "note": text},
    }
    shown = f"latest(case when amount > 1 then {literal(text)} else {literal(text + 'x')} end)"
    return [
        {"name": f"shown_{number}", "transformation": shown, "where": f"channel <> {literal(text)}", **said},
        {
            "name": f"default_{number}",
            "transformation": "latest(channel)",
            "where": "amount > 9",
            "default": text,
            **said,
        },
        {"name": f"derived_{number}", "transformation": f"coalesce(default_{number}, {literal(text)})", **said},
    ]


def service(number: int, text: str) -> dict[str, Any]:
    return {
        "name": f"service_{number}",
        "owner": text,
        "description": text,
        "external": [text],
        "features": [f"shown_{number}", f"default_{number}", f"derived_{number}"],
    }


def as_yaml(value: object) -> str:
    # a control character that ends lines in YAML is one in a text only where it is written as an escape
    return yaml.safe_dump(value, sort_keys=False, allow_unicode="\\x85" not in repr(value))


def write(root: Path, name: str, value: object) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else as_yaml(value), encoding="utf-8")


# ---------------------------------------------------------------- what is text


@dataclass(frozen=True)
class Built:
    """The project with every hostile text, as real dbt has built it."""

    root: Path
    manifest: Mapping[str, Any]
    rows: Mapping[str, list[Mapping[str, Any]]]
    before: frozenset[str]

    def column(self, name: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.manifest["nodes"]["model.fsync.hostile"]["columns"][name]
        return found


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    root = copy_reference(tmp_path_factory.mktemp("injection") / "project", BARE)
    write(root, "models/events.sql", EVENTS)
    write(root, "models/events.yml", DECLARED)
    shared = {"entity": "user_id", "source": "events", "view": "hostile"}
    found = [feature for number, text in enumerate(HOSTILE) for feature in features(number, text)]
    write(root, "feature_specs/hostile.yml", {"defaults": shared, "features": found})
    for number, text in enumerate(HOSTILE):
        write(root, f"feature_specs/services/service_{number}.yml", service(number, text))
    empties = ", ".join(f"{{{{ known['{feature['name']}'] }}}} as {feature['name']}" for feature in found)
    known = "{% set known = fsync_features()['views']['hostile']['features'] %}"
    write(root, "models/empties.sql", f"{{{{ config(materialized='table') }}}}\n{known}\nselect {empties}")
    before = frozenset(path.name for path in root.iterdir())
    project = open_project(root)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(CANARY, SECRET)
        compile_project(project)
        run_dbt(project, ["build"])
    manifest = json.loads((root / "target/manifest.json").read_text(encoding="utf-8"))
    with duckdb.connect(str(root / "warehouse.duckdb"), read_only=True) as connection:
        rows = {name: rows_of(connection, name) for name in (*FEATURES_OF, "duckdb_tables()")}
        rows |= {name: rows_of(connection, f"fsync_registry_{name}") for name in ("features", "services")}
    return Built(root, manifest, rows, before)


#: tables of one row, with a column a feature
FEATURES_OF = ("hostile", "empties")


def rows_of(connection: duckdb.DuckDBPyConnection, table: str) -> list[Mapping[str, Any]]:
    result = connection.sql(f"from {table}")
    return [dict(zip(result.columns, row, strict=True)) for row in result.fetchall()]


CASES = [pytest.param(number, text, id=f"{number}") for number, text in enumerate(HOSTILE)]


@pytest.mark.parametrize(("number", "text"), CASES)
def test_a_text_is_its_own_value(number: int, text: str, built: Built) -> None:
    """Offline, and where no event is: in the empty values that training sets and readers go by."""
    (values,), (empties,) = (built.rows[table] for table in FEATURES_OF)
    assert [values[f"{name}_{number}"] for name in ("shown", "default", "derived")] == [text] * 3
    assert [empties[f"{name}_{number}"] for name in ("default", "derived")] == [text] * 2
    assert built.column(f"default_{number}")["config"]["meta"]["fsync"]["empty"] == text


@pytest.mark.parametrize(("number", "text"), CASES)
def test_dbt_knows_a_text_to_the_letter(number: int, text: str, built: Built) -> None:
    text = text.strip()  # a text has no spaces around it
    for spec in features(number, text):
        column = built.column(spec["name"])
        meta = column["config"]["meta"]["fsync"]
        assert column["description"] == text
        assert (meta["owner"], meta["tags"], meta["backfill"]["note"]) == (text, [text], text)
        assert meta["deprecated"]["note"] == text
    meta = built.column(f"shown_{number}")["config"]["meta"]["fsync"]
    assert meta["where"] == " ".join(f"channel <> {literal(HOSTILE[number])}".split())
    exposure = built.manifest["exposures"][f"exposure.fsync.service_{number}"]
    assert (exposure["description"], exposure["owner"]["name"]) == (text, text)
    assert exposure["config"]["meta"]["fsync"]["external"] == [text]


@pytest.mark.parametrize(("number", "text"), CASES)
def test_the_registry_has_a_text_to_the_letter(number: int, text: str, built: Built) -> None:
    (row,) = (row for row in built.rows["features"] if row["feature"] == f"default_{number}")
    assert row["empty_value"] == text
    text = text.strip()
    assert (row["owner"], row["description"], row["backfill_note"], row["deprecated_note"]) == (text,) * 4
    rows = [row for row in built.rows["services"] if row["service"] == f"service_{number}"]
    assert {(row["owner"], row["description"]) for row in rows} == {(text, text)}


def test_nothing_was_made_and_nothing_seen(built: Built) -> None:
    tables = {row["table_name"] for row in built.rows["duckdb_tables()"]}
    assert "events" in tables
    assert tables == {
        *("events", "hostile", "hostile__ledger", "empties"),
        # what did not pass the monitors
        *("hostile_null_ratio", "hostile_drift"),
        *(name for name in tables if name.startswith("fsync_registry_")),
    }
    made = {path.name for path in built.root.iterdir()} - built.before
    assert made == {"dbt_project", "logs", "target", "warehouse.duckdb"}
    names = {node["name"] for node in built.manifest["nodes"].values()} | {
        macro["name"] for macro in built.manifest["macros"].values()
    }
    assert PWNED not in names
    seen = [path for path in built.root.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]
    assert seen == []


# ---------------------------------------------------------------- what is not

#: no file of dbt's gives these back as they were
NEVER = (
    "a\rb",
    "a\r\nb",
    "a\x00b",
    "a\x07b",
    "a\x1b[31mb",
    "a\x7fb",
    "a\x85b",
    "$dbt_comment_literal_block$; drop table x",
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project of which a test writes the specs: nothing in it is built."""
    root = copy_reference(tmp_path_factory.mktemp("refused") / "project", BARE)
    write(root, "models/events.yml", DECLARED)
    return open_project(root)


def outcome(project: Project, specs: Mapping[str, object]) -> tuple[tuple[Issue, ...], Mapping[str, str]]:
    """The faults of specs that stand alone in a project; or what they compile to."""
    shutil.rmtree(project.specs, ignore_errors=True)
    for name, value in specs.items():
        write(project.root, name, value)
    catalog, faults = load_catalog(project)
    issues = (*faults, *check(catalog))
    return issues, {} if issues else compiled_files(make_plan(catalog), project)


SPEC: Mapping[str, Any] = {
    "name": "spend",
    "entity": "user_id",
    "source": "events",
    "transformation": "window_sum(amount, 30d)",
    "owner": "me",
}
SERVICE: Mapping[str, Any] = {"name": "churn", "owner": "me", "features": ["spend"]}


@pytest.mark.parametrize("text", NEVER)
def test_what_dbt_would_change_is_refused(text: str, project: Project) -> None:
    spec = {**features(0, text)[0], "default": text}
    for key in spec.keys() - {"name"}:
        issues, _ = outcome(project, {"feature_specs/a.yml": {**SPEC, key: spec[key]}})
        assert [(issue.code, issue.place.file) for issue in issues] == [("bad-text", "feature_specs/a.yml")], key
    for key in ("owner", "description", "external"):
        changed = {**SERVICE, key: service(0, text)[key]}
        issues, _ = outcome(project, {"feature_specs/a.yml": SPEC, "feature_specs/services/s.yml": changed})
        assert [(issue.code, issue.place.file) for issue in issues] == [("bad-text", "feature_specs/services/s.yml")]


#: those that are no name, which words that YAML knows can be
NO_NAMES = [text for text in HOSTILE if re.fullmatch(NAME_PATTERN, text) is None]
NAMED = ("name", "view", "entity", "source", "every", "ttl", "sla", "classification", "engines")


@pytest.mark.parametrize("key", NAMED)
@pytest.mark.parametrize("text", NO_NAMES)
def test_a_name_is_never_hostile(key: str, text: str, project: Project) -> None:
    value: Any = {"freshness": text, "availability": text} if key == "sla" else text
    value = [text] if key in ("classification", "engines") else value
    issues, _ = outcome(project, {"feature_specs/a.yml": {**SPEC, key: value}})
    assert issues
    assert all(issue.place.file == "feature_specs/a.yml" for issue in issues)
    written = (project.root / "feature_specs/a.yml").read_text(encoding="utf-8").split("\n")
    line = next(number for number, line in enumerate(written, 1) if line.startswith(f"{key}:"))
    below = len(as_yaml({key: value}).split("\n")) - 2
    assert all(line <= issue.place.line <= line + below for issue in issues), "at the key, or at what stands below it"


@pytest.mark.parametrize("key", ["name", "features"])
@pytest.mark.parametrize("text", NO_NAMES)
def test_a_service_names_features_alone(key: str, text: str, project: Project) -> None:
    value = [text] if key == "features" else text
    specs = {"feature_specs/a.yml": SPEC, "feature_specs/services/s.yml": {**SERVICE, key: value}}
    issues, _ = outcome(project, specs)
    assert issues
    assert all(issue.place.file == "feature_specs/services/s.yml" for issue in issues)


@pytest.mark.parametrize("engines", [[], ["duckdb"]], ids=["portable", "duckdb"])
@pytest.mark.parametrize(
    "form", ["{}", "window_max({}, 7d)", "latest(channel || {})", "channel = {}", "({})", "'x{}x'"]
)
@pytest.mark.parametrize("key", ["transformation", "where"])
def test_sql_is_an_expression_over_columns(key: str, form: str, engines: list[str], project: Project) -> None:
    """Where hostile text is read as SQL, what compiles is made of values, columns and functions of one row."""
    extra = {"engines": engines} if engines else {}
    for text in HOSTILE:
        written = form.replace("{}", text)
        issues, files = outcome(project, {"feature_specs/a.yml": {**SPEC, "view": "v", key: written, **extra}})
        if issues:
            assert all(issue.place.file == "feature_specs/a.yml" for issue in issues)
            continue
        sql = files["models/features/v.sql"]
        with_reads = sql.lower()
        for word in ("read_csv", "attach", "copy (", "pragma", "install", "run_query", "env_var", "create table"):
            assert word not in outside_of_texts(with_reads), (written, word)


def outside_of_texts(sql: str) -> str:
    """SQL without its texts and comments."""
    tokens = duckdb.tokenize(sql)
    kept = []
    for (start, kind), end in zip(tokens, [*(start for start, _ in tokens[1:]), len(sql)], strict=True):
        if kind not in (duckdb.token_type.string_const, duckdb.token_type.comment):
            kept.append(sql[start:end])
    return "".join(kept)


@pytest.mark.parametrize("text", HOSTILE)
def test_what_dbt_yaml_says_of_sources_stays_there(text: str, project: Project) -> None:
    """dbt reads that file itself; of it, only plain names and known types get into what fsync writes."""
    declared = json.loads(json.dumps(DECLARED))
    (model,) = declared["models"]
    model["description"] = text
    model["config"]["unique_key"] = text
    model["columns"] += [
        {"name": text, "data_type": "bigint", "description": text},
        {"name": "typed", "data_type": text, "description": text},
    ]
    hostile = {"name": text, "schema": text, "description": text, "tables": [{"name": text}, {"name": "plain"}]}
    declared["sources"] = [hostile, {"name": "shop", "tables": [{"name": text, "config": {"event_time": text}}]}]
    write(project.root, "models/events.yml", declared)
    try:
        issues, files = outcome(project, {"feature_specs/a.yml": {**SPEC, "description": "What was spent."}})
        before = {**DECLARED}
        write(project.root, "models/events.yml", before)
        plain, expected = outcome(project, {"feature_specs/a.yml": {**SPEC, "description": "What was spent."}})
    finally:
        write(project.root, "models/events.yml", DECLARED)
    assert issues == plain == ()
    assert files == expected


@pytest.mark.parametrize("text", NO_NAMES)
def test_hostile_declarations_cannot_be_read(text: str, project: Project) -> None:
    """A column, a type, an event time or a key that is hostile is refused once a feature needs it."""
    for change, transformation in (
        ({"columns": {"name": "typed", "data_type": text}}, "latest(typed)"),
        ({"columns": {"name": text, "data_type": "bigint"}}, f'latest("{text}")'),
        ({"event_time": text}, "window_count(30d)"),
        ({"unique_key": text}, "latest(channel)"),
    ):
        declared = json.loads(json.dumps(DECLARED))
        (model,) = declared["models"]
        model["columns"] += [change["columns"]] if "columns" in change else []
        model["config"] |= {key: value for key, value in change.items() if key != "columns"}
        write(project.root, "models/events.yml", declared)
        try:
            issues, _ = outcome(project, {"feature_specs/a.yml": {**SPEC, "transformation": transformation}})
        finally:
            write(project.root, "models/events.yml", DECLARED)
        assert issues, (change, transformation)
