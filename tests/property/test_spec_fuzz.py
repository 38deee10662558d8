"""Whatever stands in a spec, fsync compiles it or says where it is wrong; it never breaks, and never takes long.

An input is a project whose specs were valid, and to which something happened: to their bytes, their lines, the YAML
of one value, or the SQL of an expression. FSYNC_TEST_SEED repeats a run, FSYNC_TEST_SPECS makes it longer.
"""

from __future__ import annotations

import os
import random
import re
import signal
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb
import jinja2
import jinja2.meta
import pytest
import yaml

from fsync.check import check
from fsync.errors import FsyncError
from fsync.files import compiled_files
from fsync.plan import make_plan
from fsync.spec.catalog import load_catalog
from fsync.spec.issue import Issue, in_reading_order
from fsync.spec.project import Project, open_project

SPECS = int(os.environ.get("FSYNC_TEST_SPECS", "1500"))
SEED = int(os.environ.get("FSYNC_TEST_SEED", random.SystemRandom().randrange(2**32)))
#: seconds of computing that one input may take; nearly all take milliseconds
LONGEST = 5

FEATURES, SERVICE, DECLARED = "feature_specs/a.yml", "feature_specs/services/s.yml", "models/staging.yml"

PROJECT = "name: fuzzed\nversion: 0.1.0\nprofile: fuzzed\n"
VALID: Mapping[str, str] = {
    FEATURES: """\
defaults: {entity: user_id, source: events, owner: growth-ml}
features:
  - name: spend_30d
    description: What was spent, in "US" dollars.
    transformation: window_sum(amount, 30d)
    where: amount >= 1.5 and channel <> 'web'
    sla: {freshness: 5m, availability: "99.5%"}
    pii: false
    tags: [spend, money]
    backfill: {from: 1997-02-01, note: the data begins then}
  - name: orders_30d
    transformation: window_count(30d)
  - name: mean_30d
    transformation: >-
      spend_30d
      / nullif(orders_30d, 0)
    default: 0
  - name: channel
    transformation: latest(lower(channel))
    ttl: 7d
    default: 'none'
    classification: [pii, pci]
  - {name: scored, transformation: "lifetime_sum(score)", scale: 6}
  - name: daily
    every: 1d
    entity: [user_id, order_id]
    view: by_day
    engines: [duckdb]
    transformation: |
      window_max(
        case when amount > 10 then score else 0 end, 7d
      )
    deprecated: {since: 2024-01-31, note: too coarse, use: spend_30d}
""",
    SERVICE: "name: churn\nowner: growth-ml\ndescription: Who leaves.\nfeatures: [spend_30d, orders_30d, channel]\n",
    DECLARED: """\
models:
  - name: events
    config: {event_time: happened_at, unique_key: [user_id, order_id]}
    columns:
      - {name: order_id, data_type: bigint}
      - {name: user_id, data_type: bigint}
      - {name: happened_at, data_type: timestamp}
      - {name: amount, data_type: "decimal(10,2)"}
      - {name: score, data_type: double}
      - {name: channel, data_type: varchar}
      - {name: is_new, data_type: boolean}
      - {name: day, data_type: date}
      - {name: visit, data_type: uuid}
""",
}

# ---------------------------------------------------------------- what happens to a spec

#: values of every type that YAML has, and what is none
YAML_VALUES = (
    *("", "~", "null", "true", "no", "off", "0", "-1", "1.5", "1e999", "-.inf", ".nan", "0o17", "1:30:00", "1_000"),
    *("0x" + "f" * 5000, "9" * 400, "9" * 5000, "-0.0", "1e-400", "2024-01-31", "2024-01-31 12:00:00+02:00"),
    *("0001-01-01", "0001-01-01 00:00:00+23:59", "9999-12-31", "2024-02-30", "12:30", "[]", "{}", "[[]]", "[{}]"),
    *("{a: 1}", "{a: {b: c}}", "[a, b]", "[1, true, null, 2024-01-31]", "{1: 2}", "{null: x}", "{[a]: b}"),
    *("{? {a: b} : c}", "{<<: {a: b}}", "<<", "[" * 60 + "]" * 60, "[" * 3000, "{a: " * 300 + "b" + "}" * 300),
    *("&a [*a]", "&a {b: *a}", "*a", "&b x", "[&c 1, *c]", "!!python/object/apply:os.system ['true']"),
    *("!!python/name:os.system", "!!binary aGk=", "!!binary '!'", "!!str 5", "!!int x", "!!float x"),
    *("!!timestamp x", "!!bool x", "!!null x", "!!set {a, b}", "!!omap [a: 1]", "!!pairs [a: 1]", "!mine x"),
    *("!<tag:x> y", "! x", "'", '"', "'x", '"x', '"\\0"', '"\\x07\\e[31m"', '"\\ud800"', '"\\U0010ffff"', '"\\q"'),
    *('"a\\r\\nb\\n"', '"\\u2028\\x85\\uFEFF"', "'a\n\n  b'", "|\n  a\n   b\n", ">-\n  a\n\n  b\n", "|9\n a"),
    *("|2-+", "- a", "? a", ": a", "a: b", "a #b", "#b", "@a", "`a`", "%a", "a\tb", "\ta", "é", "ｎａｍｅ", "३०d"),
    *("\u202eabc", "e\u0301", "🙂", "x" * 101, "x" * 100_000, "'{{ x }}'", "'{% x %}'", "'{# x'", "'a b'", "' '"),
    *("user_id", "spend_30d", "events", "valid_from", "order", "30d", "30", "1.5 d"),
)  # fmt: skip

#: lines that mean something wherever they stand
LINES = (
    *("---", "...", "%YAML 3.0", "%TAG ! tag:x,2000:", "<<: *a", "<<: {owner: x}", "<<: [*a, *b]", "<<: 1", "&a"),
    *("*a", "- ", "-", "?", ": ", "{", "}", "[", "]", "'", '"', "|", ">", "#", "\t", "\t- x", "features:"),
    *("features: []", "defaults:", "defaults: []", "name: x", "default: 1", "every: 1h", "where: amount", "on: x"),
    *("1: x", "null: x", "? [a]\n: b", "a: &a {b: *a}", "monitors: {}"),
    "a: &a {x: 1}\nb: &b {<<: [*a, *a, *a]}\nc: &c {<<: [*b, *b, *b]}",
    "\n".join(["l0: &l0 [x]", *(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 9))]),
    "\n".join(["m0: &m0 {x: 1}", *(f"m{n}: &m{n} {{<<: [{', '.join([f'*m{n - 1}'] * 9)}]}}" for n in range(1, 9))]),
)  # fmt: skip

BYTES = (
    *(b"\xef\xbb\xbf", b"\x00", b"\r", b"\r\n", b"\n", b"\t", b"\x85", b"\xc2\x85", b"\xe2\x80\xa8"),
    *(b"\xed\xa0\x80", b"\xff", b"\xfe\xff", b"\x0b", b"\x0c", b"\x1b[31m", b"\x1c", b"\x7f", b"\xc2\xa0"),
    *(b"\xe2\x80\x8b", b"\xf0\x9f\x99\x82", b"\xf4\x90\x80\x80", b"\xc0\x80", b"'", b'"', b":", b": ", b"- ", b"#"),
    *(b" #", b"&", b"*", b"!", b"|", b">", b"%", b"@", b"`", b"{", b"}", b"[", b"]", b",", b"?", b"\\"),
)  # fmt: skip

#: tokens of the portable language, of DuckDB's, and of no language
TOKENS = (
    *("amount", "score", "channel", "order_id", "user_id", "happened_at", "day", "is_new", "visit", "spend_30d"),
    *("orders_30d", "1", "0", "-1", "1.5", "1e3", "1e999", "1e", "to day", ".5", "5.", "0x1f", "1_000", "9" * 40),
    *("30d", "1w", "0s", "5x", "99999d", "3 d", "'30d'", "''", "'x'", "'it''s'", "'", '"', '"amount"', '"a b"'),
    *("$$x$$", "$a$x$a$", "e'\\n'", "E'\\''", "b'1'", "x'ff'", "u&'\\0041'", "+", "-", "*", "/", "%", "//", "^"),
    *("**", "||", "=", "==", "<>", "!=", "<", "<=", ">", ">=", "!", "~", "&", "|", "<<", ">>", "@", "#", "$1", "("),
    *(")", "[", "]", "{", "}", ",", ";", ".", ":", "::", ":=", "->", "->>", "=>", "?", "--", "/*", "*/", "\\", "{{"),
    *("}}", "{%", "%}", "{#", "and", "or", "not", "is", "null", "true", "false", "in", "between", "like", "ilike"),
    *("escape", "similar to", "glob", "case", "when", "then", "else", "end", "cast(", "as", "bigint", "double"),
    *("decimal(10, 2)", "varchar", "date", "timestamp", "interval", "int[]", "struct(a int)", "coalesce("),
    *("nullif(", "lower(", "upper(", "length(", "substring(", "trim(", "round(", "floor(", "ceil(", "abs("),
    *("power(", "sqrt(", "ln(", "date_trunc(", "date_diff(", "extract(", "year from", "date '2024-01-31'"),
    *("timestamp '2024-01-31 12:00:00'", "'day'", "contains(", "window_sum(", "window_count(", "window_percentile("),
    *("window_last(", "lifetime_count(", "lifetime_sum(", "latest(", "0.95", "30d)", "7d)", "select", "from"),
    *("where", "group by", "over (", "order by", "filter (", "distinct", "exists (", "with x as (", "values ("),
    *("union", "limit", "sum(", "median(", "count(*)", "row_number() over ()", "now()", "random()", "current_date"),
    *("list_transform(", "x -> x", "[x for x in", "*", "read_csv('/etc/passwd')", "unnest(", "struct_pack("),
    *("map {", "at time zone", "collate nocase", "try_cast(", "if(", "lambda x:", "columns(*)", "drop table x"),
    *("copy x to 'y'", "attach 'z'", "pragma version", "call x()", "set x = 1", "é", "🙂", "\u2028", "\u00a0", "\t"),
    *("\n", "ÿ.ÿ"),
)  # fmt: skip

#: expressions to begin with
EXPRESSIONS = (
    "window_sum(amount, 30d)",
    "window_sum(case when amount > 10 then score else 0 end, 7d)",
    "latest(coalesce(lower(channel), 'none'))",
    "lifetime_percentile(amount * 2, 0.95)",
    "amount >= 1.5 and channel in ('a', 'b') or not is_new",
    "date_diff('day', day, cast(happened_at as date)) between 1 and 7",
    "spend_30d / nullif(orders_30d, 0)",
    "case channel when 'web' then 1 else null end",
    "substring(channel, 1, 3) || '-' || cast(order_id as varchar)",
)

#: what stands around an expression once, and once more, and once more
DEEP = (
    ("(", ")"),
    ("not ", ""),
    ("- ", ""),
    ("abs(", ")"),
    ("1 + ", ""),
    ("[", "]"),
    ("case when is_new then ", " end"),
)

Files = dict[str, bytes]


class Happening:
    """What happens to the files of a valid project, at random."""

    def __init__(self, randomly: random.Random) -> None:
        self.randomly = randomly
        self.any = randomly.choice
        self.files: Files = {name: text.encode() for name, text in VALID.items()}

    def happen(self) -> Files:
        ways = (self.bytes, self.lines, self.value, self.value, self.expression, self.expression)
        for _ in range(self.any((1, 1, 1, 2, 3))):
            self.any(ways)()
        return self.files

    def bytes(self) -> None:
        name = self.any((FEATURES, FEATURES, SERVICE))
        data = self.files[name]
        for _ in range(self.any((1, 1, 2, 5))):
            start = self.randomly.randint(0, len(data))
            end = start + self.any((0, 0, 0, 1, 2, 20))
            put = self.any((b"", bytes([self.randomly.randrange(256)]), self.any(BYTES), self.any(BYTES) * 2))
            data = data[:start] + put + data[end:]
        self.files[name] = data[: self.randomly.randint(0, len(data))] if self.randomly.random() < 0.1 else data

    def lines(self) -> None:
        name = self.any((FEATURES, FEATURES, SERVICE))
        lines = self.files[name].decode("utf-8", "surrogateescape").split("\n")
        at = self.randomly.randrange(len(lines))
        indent = self.any(("", "  ", "    ", "\t", " " * len(lines[at][: -len(lines[at].lstrip()) or None])))
        way = self.randomly.randrange(7)
        if way == 0:
            del lines[at]
        elif way == 1:
            lines.insert(at, self.any(lines))
        elif way == 2:
            lines[at] = indent + lines[at].lstrip()
        elif way == 3:
            lines[at] = lines[at] + self.any((" ", "", "\t", ":", " :", " #", " &a", " *a"))
        elif way == 4:
            lines[at - 1 : at + 1] = [lines[at - 1] + lines[at].lstrip()]
        else:
            lines[at:at] = [indent + line for line in self.any(LINES).split("\n")]
        self.files[name] = "\n".join(lines).encode("utf-8", "surrogateescape")

    def value(self) -> None:
        """A value of any type under a key, in the place of what stands there."""
        name = self.any((FEATURES, FEATURES, FEATURES, SERVICE))
        text = self.files[name].decode("utf-8", "surrogateescape")
        keys = list(re.finditer(r"\b([a-z_]+): (?:\{[^}]*\}|\[[^\]]*\]|[^\n,}]*)", text))
        if keys:
            found = self.any(keys)
            value = self.any(YAML_VALUES)
            pad = found.start() - text.rfind("\n", 0, found.start()) - 1
            written = f"{found[1]}: {value}".replace("\n", "\n" + " " * (pad + 1))
            text = text[: found.start()] + written + text[found.end() :]
        self.files[name] = text.encode("utf-8", "surrogateescape")

    def expression(self) -> None:
        """Other SQL under `transformation` or `where`, in one of YAML's ways to write a text."""
        written = self.quoted(self.sql())
        keys = [("name", "fuzzed"), ("transformation", written)]
        if self.randomly.random() < 0.5:
            keys = [("name", "fuzzed"), ("transformation", "window_count(30d)"), ("where", written)]
        keys += [("engines", "[duckdb]")] if self.randomly.random() < 0.4 else []
        keys += [("default", self.quoted(self.sql(1)))] if self.randomly.random() < 0.2 else []
        feature = "\n".join(f"{'  - ' if key == 'name' else '    '}{key}: {value}" for key, value in keys)
        self.files[FEATURES] = (
            self.files[FEATURES].rstrip() + b"\n" + feature.encode("utf-8", "surrogateescape") + b"\n"
        )

    def sql(self, most: int = 12) -> str:
        if self.randomly.random() < 0.03:  # deep, or long
            one, other = self.any(
                (
                    ("(", ")"),
                    ("not ", ""),
                    ("- ", ""),
                    ("abs(", ")"),
                    ("1 + ", ""),
                    ("[", "]"),
                    ("case when is_new then ", " end"),
                )
            )
            depth = self.any((50, 100, 200, 400, 1500, 20_000))
            return f"window_max({one * depth}amount{other * depth}, 7d)"
        if self.randomly.random() < 0.5:
            tokens = self.any(EXPRESSIONS).split(" ")
            for _ in range(self.any((1, 1, 2, 3))):
                at = self.randomly.randint(0, len(tokens))
                tokens[at : at + self.any((0, 1, 1))] = [self.any(TOKENS)] if self.randomly.random() < 0.7 else []
            return " ".join(tokens)
        soup = self.any(("", " ")).join(self.any(TOKENS) for _ in range(self.randomly.randint(1, most)))
        return self.any((soup, f"window_max({soup}, 7d)", f"latest({soup})", f"amount > {soup}", f"({soup})"))

    def quoted(self, text: str) -> str:
        way = self.randomly.randrange(5)
        if way == 0:
            return text
        if way == 1:
            return "'" + text.replace("'", "''") + "'"
        if way == 2:
            return self.any(("|", ">-")) + "\n" + "\n".join("      " + line for line in text.split("\n"))
        if way == 3:
            return "\n      ".join(text.split(" "))
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def inputs(seed: int, count: int) -> Iterator[Files]:
    for number in range(count):
        yield Happening(random.Random(f"{seed} {number}")).happen()


# ---------------------------------------------------------------- what has to hold


class TooLong(BaseException):
    """An input took longer than any may; nothing catches it by mistake."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    def stop(_signal: int, _frame: object) -> None:
        raise TooLong

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)  # of this process, however busy the machine is
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def make_project(folder: Path) -> Project:
    (folder / "dbt_project.yml").write_text(PROJECT)
    for name in VALID:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
    return open_project(folder)


def put(files: Files, project: Project) -> None:
    for name, data in files.items():
        (project.root / name).write_bytes(data)


def come_to(project: Project) -> tuple[Issue, ...]:
    """Read, check, plan and compile the project, and hold what comes out to what it has to be."""
    catalog, faults = load_catalog(project)
    issues = (*faults, *check(catalog))
    for issue in in_reading_order(issues):
        is_placed(issue, project)
    if not issues:
        written = yaml.load((project.root / FEATURES).read_bytes(), LOADER) or {}
        assert len(catalog.features) == len(written.get("features", [written])), "no feature is lost without a word"
        assert len(catalog.services) == 1
    if not issues and catalog.features:
        plan = make_plan(catalog)
        for name, text in compiled_files(plan, project).items():
            is_plain_yaml(text) if name.endswith(".yml") else is_our_jinja(text)
            if name in {f"models/features/{view.name}.sql" for view in plan.views}:
                is_one_query(text)
    return issues


#: kinds of characters that a terminal obeys or hides
HIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp")


def is_placed(issue: Issue, project: Project) -> None:
    """An issue stands within its file, on the line that it shows."""
    told, place = str(issue), issue.place
    assert not any(unicodedata.category(letter) in HIDDEN for letter in told if letter not in "\n\t"), ascii(told)
    text = (project.root / place.file).read_bytes().decode("utf-8", "replace").removeprefix("\ufeff")
    lines = re.split("\r\n|[\r\n\x85\u2028\u2029]", text)
    assert 1 <= place.line <= len(lines), told
    line = lines[place.line - 1]
    assert len(place.text) == len(line), told
    assert all(shown in (written, "\N{REPLACEMENT CHARACTER}") for shown, written in zip(place.text, line, strict=True))
    assert 1 <= place.column <= len(line) + 1, told
    assert place.width >= 1, told
    assert place.column - 1 + place.width <= max(len(line), place.column), told


def is_plain_yaml(text: str) -> None:
    """The file is one mapping, without aliases, anchors and tags."""
    for event in yaml.parse(text, LOADER):
        assert getattr(event, "anchor", None) is None
        assert getattr(event, "tag", None) is None
    assert isinstance(yaml.load(text, LOADER), dict)


def is_our_jinja(text: str) -> None:
    """The Jinja in the file is what fsync writes, and calls nothing else."""
    tree = ENVIRONMENT.parse(text)
    assert jinja2.meta.find_undeclared_variables(tree) <= {"config", "ref", "source", "fsync", "return"}


def is_one_query(text: str) -> None:
    """A view's model is one SELECT, of which DuckDB can read every word."""
    bare = text.replace('{{ "{" }}', "{").replace(CONFIG, "")
    (statement,) = duckdb.extract_statements(re.sub(r"\{\{ .*? \}\}", "x", bare))
    assert statement.type == duckdb.StatementType.SELECT


CONFIG = "{{ config(materialized='validity_table') }}"
#: that of fsync: the one in pure Python is stricter with tabs, and slow
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
ENVIRONMENT = jinja2.Environment(extensions=["jinja2.ext.do"])


# ---------------------------------------------------------------- the tests


def test_nothing_that_stands_in_a_spec_breaks_fsync(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    compiled = 0
    for number, files in enumerate(inputs(SEED, SPECS)):
        put(files, project)
        try:
            with at_most(LONGEST):
                compiled += not come_to(project)
        except FsyncError:
            continue
        except BaseException as error:
            error.add_note(f"FSYNC_TEST_SEED={SEED}, input {number}: {files}")
            raise
    assert 0.03 < compiled / SPECS < 0.6, "inputs are neither all fine nor all wrong"


def test_the_valid_project_compiles(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    put({name: text.encode() for name, text in VALID.items()}, project)
    assert come_to(project) == ()


_CHECKS: tuple[tuple[Callable[[str], None], str], ...] = (
    (is_plain_yaml, "a: &b 1\nc: *b\n"),
    (is_plain_yaml, "a: !!str 1\n"),
    (is_plain_yaml, "- a\n"),
    (is_our_jinja, "select {{ env_var('HOME') }}"),
    (is_our_jinja, "select {% do run_query('x') %}"),
    (is_one_query, CONFIG),
    (is_one_query, "select 1; drop table x"),
    (is_one_query, "drop table x"),
    (is_one_query, "select floor(x to day)"),
)


@pytest.mark.parametrize(("holds", "text"), _CHECKS)
def test_what_has_to_hold_can_fail(holds: Callable[[str], None], text: str) -> None:
    with pytest.raises((AssertionError, ValueError, duckdb.Error)):
        holds(text)
