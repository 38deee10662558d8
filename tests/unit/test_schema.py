"""The JSON Schemas of specs: published as they are generated, and of one mind with the code that loads specs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from fsync.language.duration import UNITS
from fsync.spec.feature import FeatureSpec
from fsync.spec.load import load_features, load_services
from fsync.spec.project import SERVICES, open_project
from fsync.spec.schema import feature_schema, service_schema
from fsync.spec.service import ServiceSpec
from tests.conftest import ROOT, Ended, settings
from tests.journey.test_docs import SPECS

SCHEMAS: dict[str, Callable[[], Mapping[str, Any]]] = {"feature": feature_schema, "service": service_schema}
FORM = ("unknown-key", "missing-key", "wrong-type", "bad-name", "bad-duration", "bad-value")
ERRORS = ROOT / "tests/errors"


@cache
def _validator(kind: str) -> Draft202012Validator:
    schema = SCHEMAS[kind]()
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def _as_an_editor_sees_it(value: object) -> object:
    """JSON has no dates: they are the texts that stand in the file."""
    if isinstance(value, Mapping):
        return {key: _as_an_editor_sees_it(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_as_an_editor_sees_it(inner) for inner in value]
    return value.isoformat() if isinstance(value, date) else value


def _refused(kind: str, value: object) -> list[str]:
    return [str(error.message) for error in _validator(kind).iter_errors(_as_an_editor_sees_it(value))]


# ---------------------------------------------------------------- published


@pytest.mark.parametrize("kind", SCHEMAS)
def test_the_published_schema_is_the_one_that_the_code_makes(
    kind: str, fsync: Callable[..., Ended], bless: bool
) -> None:
    ended = fsync("schema", kind)
    published = ROOT / f"docs/schemas/{kind}.schema.json"
    if bless:
        published.write_text(ended.out)
    assert ended.code == 0
    assert ended.out == published.read_text()


def test_an_editor_finds_the_published_schemas() -> None:
    mapped = json.loads((ROOT / ".vscode/settings.json").read_text())["yaml.schemas"]
    assert [(ROOT / path).name for path in mapped] == [f"{kind}.schema.json" for kind in SCHEMAS]
    for path, globs in mapped.items():
        assert (ROOT / path).is_file()
        assert any(found for glob in globs for found in ROOT.glob(glob))


@pytest.mark.parametrize("kind", SCHEMAS)
def test_every_key_is_told_in_plain_words(kind: str) -> None:
    def keys(node: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
        if isinstance(node, Mapping):
            for name, key in node.get("properties", {}).items():
                if "$ref" not in key and key.keys() != {"type", "required"}:
                    yield name, key
            for inner in node.values():
                yield from keys(inner)

    found = dict(keys(SCHEMAS[kind]()))
    model = FeatureSpec if kind == "feature" else ServiceSpec
    assert set(model.model_fields) <= found.keys()
    for name, key in found.items():
        assert key["description"].endswith("."), name
        assert key.get("examples") or name in ("defaults", "features"), name


def test_every_example_is_right() -> None:
    whole = {"name": "a", "entity": "b", "source": "c", "transformation": "d", "owner": "e"}
    for name, key in feature_schema()["$defs"]["feature"]["properties"].items():
        for example in key.get("examples", ()):
            assert not _refused("feature", {**whole, name: example}), name
            assert _loads(FeatureSpec, {**whole, name: _with_dates(example)}), name


# ---------------------------------------------------------------- what is right


def _right() -> Iterator[tuple[str, str, str]]:
    """Every spec in the repository: its name, its kind, its text."""
    files = [*ROOT.glob("feature_specs/**/*.yml"), *ROOT.glob("tests/golden/*/spec*.yml")]
    files += [ROOT / "tests/property/spec.yml", ROOT / "tests/property/service.yml"]
    files += ROOT.glob("tests/governance/*/*.yml")
    for file in sorted(files):
        if file.name not in ("policy.yml", "staging.yml", "source.yml"):
            kind = "service" if SERVICES in file.parts or file.name == "service.yml" else "feature"
            yield file.relative_to(ROOT).as_posix(), kind, file.read_text()
    for name, text in SPECS.items():
        yield name, "service" if "features: [" in text else "feature", text


RIGHT = list(_right())


@pytest.mark.parametrize(("kind", "text"), [case[1:] for case in RIGHT], ids=[case[0] for case in RIGHT])
def test_a_spec_that_loads_is_not_refused(kind: str, text: str) -> None:
    assert _refused(kind, yaml.safe_load(text)) == []


# ---------------------------------------------------------------- what is wrong

FEATURE = {
    "name": "spend",
    "entity": "user_id",
    "source": "orders_stream",
    "transformation": "window_sum(amount, 30d)",
    "owner": "me",
}
SERVICE = {"name": "churn", "owner": "me", "features": ["spend"]}


def _without(spec: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in spec.items() if name != key}


#: wrong in form: what is wrong, the kind of file, and what stands in it
WRONG: list[tuple[str, str, object]] = [
    *((f"no {key}", "feature", _without(FEATURE, key)) for key in FEATURE),
    *((f"no {key}", "service", _without(SERVICE, key)) for key in SERVICE),
    *((f"empty {key}", "feature", {**FEATURE, key: ""}) for key in FEATURE),
    *((f"null {key}", "feature", {**FEATURE, key: None}) for key in [*FEATURE, "pii"]),
    *((f"a list as {key}", "feature", {**FEATURE, key: [[]]}) for key in [*FEATURE, "where", "default", "sla"]),
    ("nothing", "feature", None),
    ("nothing", "service", None),
    ("a list of features", "feature", [FEATURE]),
    ("a text", "service", "churn"),
    ("an unknown key", "feature", {**FEATURE, "windw": "30d"}),
    ("a key that is no text", "feature", dict[object, object](FEATURE) | {True: "x"}),
    ("a p-value of one", "feature", {**FEATURE, "monitors": {"drift": 1}}),
    ("a share without a sign", "feature", {**FEATURE, "monitors": {"null_ratio": 0.05}}),
    ("no baseline", "feature", {**FEATURE, "monitors": {"drift_baseline": "last week"}}),
    ("a freshness of its own", "feature", {**FEATURE, "monitors": {"freshness": "5m"}}),
    ("no severity", "feature", {**FEATURE, "monitors": {"severity": "fatal"}}),
    ("an unknown monitor", "feature", {**FEATURE, "monitors": {"nulls": "5%"}}),
    ("an unknown key", "service", {**SERVICE, "feature": []}),
    ("an unknown key within", "feature", {**FEATURE, "sla": {"fresh": "5m"}}),
    ("a missing key within", "feature", {**FEATURE, "backfill": {"from": date(1997, 1, 1)}}),
    ("capitals", "feature", {**FEATURE, "name": "Spend"}),
    ("a digit first", "feature", {**FEATURE, "name": "30d_spend"}),
    ("a long name", "feature", {**FEATURE, "name": "a" * 101}),
    ("a space", "feature", {**FEATURE, "view": "a b"}),
    ("a line break", "feature", {**FEATURE, "view": "a\nb"}),
    ("no entity", "feature", {**FEATURE, "entity": []}),
    ("an empty column", "feature", {**FEATURE, "entity": ["user_id", " "]}),
    ("spaces alone", "feature", {**FEATURE, "owner": "  "}),
    ("no duration", "feature", {**FEATURE, "every": "often"}),
    ("months", "feature", {**FEATURE, "ttl": "3mo"}),
    ("no time at all", "feature", {**FEATURE, "ttl": "0d"}),
    ("a number", "feature", {**FEATURE, "every": 30}),
    ("a hundred years and more", "feature", {**FEATURE, "sla": {"freshness": "36526d"}}),
    ("no sign of percent", "feature", {**FEATURE, "sla": {"availability": "99.5"}}),
    ("more than all", "feature", {**FEATURE, "sla": {"availability": "120%"}}),
    ("nothing at all", "feature", {**FEATURE, "sla": {"availability": "0.0%"}}),
    ("no number", "feature", {**FEATURE, "sla": {"availability": "nan%"}}),
    ("no number", "feature", {**FEATURE, "sla": {"availability": "%"}}),
    ("scale 13", "feature", {**FEATURE, "scale": 13}),
    ("scale -1", "feature", {**FEATURE, "scale": -1}),
    ("half a digit", "feature", {**FEATURE, "scale": 1.5}),
    ("a truth", "feature", {**FEATURE, "scale": True}),
    ("another engine", "feature", {**FEATURE, "engines": ["spark"]}),
    ("no engine", "feature", {**FEATURE, "engines": []}),
    ("another class", "feature", {**FEATURE, "classification": ["secret"]}),
    ("a class as text", "feature", {**FEATURE, "classification": "pii"}),
    ("a text as truth", "feature", {**FEATURE, "pii": "maybe"}),
    ("a number as truth", "feature", {**FEATURE, "pii": 1}),
    ("tags as text", "feature", {**FEATURE, "tags": "spend"}),
    ("no date", "feature", {**FEATURE, "backfill": {"from": "yesterday", "note": "x"}}),
    ("an empty note", "feature", {**FEATURE, "backfill": {"from": date(1997, 1, 1), "note": ""}}),
    ("no class", "feature", {**FEATURE, "declassify": {"classes": [], "note": "x"}}),
    ("no features", "service", {**SERVICE, "features": []}),
    ("a feature as text", "service", {**SERVICE, "features": "spend"}),
    ("no date", "service", {**SERVICE, "since": "soon"}),
    ("an empty list", "feature", {"features": []}),
    ("defaults alone", "feature", {"defaults": FEATURE}),
    ("a list of defaults", "feature", {"defaults": [1], "features": [FEATURE]}),
    ("a key beside features", "feature", {"features": [FEATURE], "owner": "me"}),
    ("texts as features", "feature", {"features": ["spend"]}),
    ("an owner for one alone", "feature", {"features": [FEATURE, _without(FEATURE, "owner")]}),
    ("no owner in defaults", "feature", {"defaults": {"pii": False}, "features": [_without(FEATURE, "owner")]}),
    ("a wrong default", "feature", {"defaults": {"owner": 7}, "features": [_without(FEATURE, "owner")]}),
    ("an unknown default", "feature", {"defaults": {"owned": "me"}, "features": [FEATURE]}),
    ("empty defaults", "feature", {"defaults": None, "features": [_without(FEATURE, "owner")]}),
]


def _faults(kind: str, text: str, folder: Path) -> list[str]:
    """What the loader finds in a file of `feature_specs/`."""
    (folder / "dbt_project.yml").write_text(settings())
    specs = folder / "feature_specs" / (SERVICES if kind == "service" else "")
    specs.mkdir(parents=True)
    (specs / "spec.yml").write_text(text)
    project = open_project(folder)
    faults = (load_services(project) if kind == "service" else load_features(project))[1]
    return [issue.code for issue in faults]


@pytest.mark.parametrize(("what", "kind", "value"), WRONG, ids=[f"{kind}: {what}" for what, kind, _ in WRONG])
def test_what_is_wrong_in_form_is_refused_by_the_loader_and_by_the_schema(
    what: str, kind: str, value: object, tmp_path: Path
) -> None:
    text = yaml.safe_dump(value, sort_keys=False)
    assert _faults(kind, text, tmp_path), what
    assert _refused(kind, yaml.safe_load(text)), what


def test_a_key_of_the_defaults_is_not_missing(tmp_path: Path) -> None:
    shared = {"owner": "me", "entity": "user_id", "source": "orders_stream"}
    features = [{"name": "a", "transformation": "lifetime_count()"}, FEATURE]
    value = {"defaults": shared, "features": features}
    assert not _refused("feature", value)
    assert not _faults("feature", yaml.safe_dump(value), tmp_path)


def _told_of_form() -> Iterator[tuple[str, str]]:
    """The cases of tests/errors with a fault of form in a spec: (case, file)."""
    told = re.compile(rf"^error\[(?:{'|'.join(FORM)})\].*\n *--> feature_specs/([\w/]+\.yml):", re.MULTILINE)
    for case in sorted(ERRORS.iterdir()):
        if case.name.split(".")[0] in FORM:
            for file in sorted(set(told.findall((case / "expected.txt").read_text()))):
                yield case.name, file


TOLD = list(_told_of_form())


@pytest.mark.parametrize(("case", "file"), TOLD)
def test_a_fault_of_form_that_is_told_is_refused_by_the_schema(case: str, file: str) -> None:
    kind = "service" if file.startswith(SERVICES) else "feature"
    assert _refused(kind, yaml.safe_load((ERRORS / case / file).read_text()))


def test_there_are_such_cases() -> None:
    assert {case.split(".")[0] for case, _ in TOLD} == set(FORM)


# ---------------------------------------------------------------- of one mind

#: values that stand under each key in turn
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, 12, 13, -1, 1.5, 10**30, float("inf"), date(1997, 1, 31)),
    *("", " ", "a", "A", " a", "a ", "a_1", "1a", "_a", "ä", "a" * 100, "a" * 101, "a.b", "a\nb", "a-b"),
    *("5m", "30d", " 5m ", "5 m", "05m", "0m", "00d", "1.5h", "-5m", "+5m", "5M", "5mo", "5", "٥m", "5m5s"),
    *(f"{'0' * zeros}1s" for zeros in (13, 14, 15)),
    *("99.5%", "100%", "100.0%", "100.01%", "0%", "0.00%", ".5%", "5.%", ".%", "%", "099%", " 5 % ", " 5 %", "1e1%"),
    *("nan%", "inf%", "-5%", "+5%", "9_9%", "٩%", "99%\n", "0.000001%", "101%", "1000%"),
    *("1997-1-1", "1997-02-30", "1997-13-01", "0000-01-01", "1997-01-01T00:00:00", "soon"),
    *([], [""], ["a"], ["a", "b"], [1], ["pii"], ["pii", "pci"], ["secret"], ["duckdb"], ["spark"], [[]], [None]),
    *({}, {"freshness": "5m"}, {"availability": "5%"}, {"freshness": None}, {"fresh": "5m"}, {"freshness": 5}),
    *({"from": date(1997, 1, 31), "note": "a"}, {"from": date(1997, 1, 31)}, {"note": "a"}),
    *({"since": date(1997, 1, 31), "note": "a"}, {"since": date(1997, 1, 31), "note": "a", "use": "b"}),
    *({"since": date(1997, 1, 31), "note": "a", "use": "B"}, {"since": None, "note": "a"}),
    *({"classes": ["pii"], "note": "a"}, {"classes": [], "note": "a"}, {"classes": ["pii"], "note": " "}),
)


def _loads(model: type[FeatureSpec | ServiceSpec], spec: object) -> bool:
    try:
        model.model_validate(spec)
    except ValidationError:
        return False
    return True


def _with_dates(value: Any) -> Any:
    """As PyYAML reads it: a text that is a date, and not in quotes, is a date."""
    if isinstance(value, Mapping):
        return {key: _with_dates(inner) for key, inner in value.items()}
    return date.fromisoformat(value) if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value) else value


@pytest.mark.parametrize(
    ("kind", "model", "spec"), [("feature", FeatureSpec, FEATURE), ("service", ServiceSpec, SERVICE)]
)
def test_schema_and_loader_say_the_same_of_every_value_of_every_key(
    kind: str, model: type[FeatureSpec | ServiceSpec], spec: dict[str, Any]
) -> None:
    for key in (*(field.alias or name for name, field in model.model_fields.items()), "unknown"):
        for value in VALUES:
            if isinstance(value, date) and key not in ("since", "default"):
                continue  # a date in the place of a text: an editor sees no difference
            tried = {**spec, key: value}
            assert bool(_refused(kind, tried)) is not _loads(model, tried), (key, value)


@pytest.mark.parametrize("unit", UNITS)
def test_schema_and_loader_agree_on_the_longest_duration(unit: str) -> None:
    longest = 36_525 * UNITS["d"] // UNITS[unit]
    for number in {1, 9, 10, 99, longest // 2, longest - 1, longest, longest + 1, longest + 10, longest * 10}:
        tried = {**FEATURE, "every": f"{number}{unit}"}
        assert bool(_refused("feature", tried)) is not _loads(FeatureSpec, tried), tried["every"]
        assert _loads(FeatureSpec, tried) is (number <= longest)
