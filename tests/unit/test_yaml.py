"""YAML: what fsync writes is the same with and without libyaml, and what it cannot read is told with its place."""

from __future__ import annotations

import random
import string

import jinja2
import pytest
import yaml

from fsync import properties
from fsync.spec.document import Document, not_utf8, read
from fsync.spec.issue import Issue
from fsync.sql import jinja

POOLS = (
    string.printable[:95],
    "ab c'\"\\:#-{}[]%|>,?!&*@`~0.5e yesnull  =<_",
    "a  b' \" :",
    "é—🙂\n\t\x07\x7f\u2028ab ",
)


@pytest.mark.skipif(not hasattr(yaml, "CSafeDumper"), reason="PyYAML was built without libyaml")
def test_yaml_is_the_same_with_and_without_libyaml(monkeypatch: pytest.MonkeyPatch) -> None:
    randomly = random.Random(1)
    for _ in range(2_000):
        pool = randomly.choice(POOLS)
        texts = ["".join(randomly.choices(pool, k=randomly.choice((0, 1, 5, 90, 130)))) for _ in range(4)]
        value = {"name": texts[0], "columns": [{"description": texts[1], "tags": [*texts[2:], None, True, 1]}]}
        monkeypatch.setattr(properties, "_QUICK", yaml.CSafeDumper)
        quick = properties.to_yaml(value)
        monkeypatch.setattr(properties, "_QUICK", yaml.SafeDumper)
        assert quick == properties.to_yaml(value)


# ---------------------------------------------------------------- what was found by fuzzing


def fault(text: str) -> Issue:
    """The only fault of a text that is no YAML."""
    document, (issue,) = read("a.yml", text)
    assert document is None
    return issue


def document(text: str) -> Document:
    found, faults = read("a.yml", text)
    assert found is not None
    assert faults == ()
    return found


@pytest.mark.parametrize("value", ["!!bool x", "!!timestamp x", "!!int x", "2024-02-30", "0x" + "f" * 5000, "9" * 5000])
def test_a_value_that_is_not_of_its_type_is_told_where_it_stands(value: str) -> None:
    """PyYAML raises ValueError, KeyError or AttributeError, without a place; Python refuses to print such a number."""
    place = fault(f"a: 1\nb: {value}\nc: 2\n").place
    assert (place.line, place.column, place.width) == (2, 4, len(value))


@pytest.mark.parametrize("text", ["a: !!bool x\na: 1\n", "a: 1\n!!bool x: 1\n", "- - !!bool x\n"])
def test_wherever_such_a_value_stands(text: str) -> None:
    """Under a key that stands twice, as a key, in a list of lists."""
    assert "'x'" in fault(text).message


def test_a_tower_of_merges_is_refused_at_once() -> None:
    """Each level is nine of the level below: PyYAML would copy 43 million keys."""
    levels = [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 9)]
    assert "aliases" in fault("\n".join(["a0: &a0 {x: 1}", *levels])).message


def test_a_mapping_that_is_merged_into_itself_is_refused() -> None:
    assert "itself" in fault("a: &a\n  <<: *a\n").message


def test_what_is_nested_too_deeply_is_refused() -> None:
    assert "deeply" in fault("[" * 5000).message


def test_of_a_key_that_stands_twice_the_last_is_meant() -> None:
    found, faults = read("a.yml", "a: long value\na: b\n")
    assert found is not None
    assert [issue.code for issue in faults] == ["duplicate-key"]
    assert (found.value, found.place(("a",)).line) == ({"a": "b"}, 2)


def test_a_merged_key_is_where_it_is_written() -> None:
    found = document("- &a {x: 1, y: 2}\n- <<: *a\n  y: 3\n")
    assert found.has((1, "x"))
    assert (found.place((1, "x")).line, found.place((1, "x")).column) == (1, 10)
    assert found.place((1, "y")).line == 3


def test_the_mark_at_the_start_of_a_file_moves_nothing() -> None:
    assert document("\ufeffname: x\n").place(("name",)).column == 7


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\x85", "\u2028", "\u2029"])
def test_lines_are_those_of_yaml(end: str) -> None:
    place = document(f"a: 1{end}b: 2{end}").place(("b",))
    assert (place.line, place.column, place.text) == (2, 4, "b: 2")


def test_what_a_terminal_obeys_is_not_shown() -> None:
    issue = fault("a: 1\nb: in \x1b[31mred\n")
    assert (issue.place.line, issue.place.column) == (2, 7)
    assert "\x1b" not in str(issue)
    assert "\u202e" not in document("a: \u202etxt.exe\n").place(("a",)).text


def test_a_byte_that_is_no_character_is_told_where_it_stands() -> None:
    with pytest.raises(UnicodeDecodeError) as error:
        b"\xef\xbb\xbfa: 1\r\nb: \xa35\n".decode()
    place = not_utf8("a.yml", error.value).place
    assert (place.line, place.column, place.text) == (2, 4, "b: \N{REPLACEMENT CHARACTER}5")


def test_an_empty_document_stands_in_the_first_line() -> None:
    for text in ("", "---\n", "# nothing\n", "\n\n"):
        assert document(text).place(()).line == 1


@pytest.mark.parametrize("text", ["a\n", "a\n\n", "{\n", "{{\n", "{% x %}\n", "\n", "{#{\n", "a", "{{", "a{"])
def test_a_whole_text_comes_out_of_jinja_as_it_went_in(text: str) -> None:
    """Jinja drops a line break at the end of a template, and a brace must not meet its own."""
    assert jinja2.Environment().from_string(jinja.escape_whole(text)).render() == text
