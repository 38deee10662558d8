"""The canonical form against the engine: random expressions, each spelled twice, and others that are near it.

Spelled twice, an expression has one canonical form. Whatever has one canonical form has the same value and type
for every row of a table of hard ones: NULL, NaN, -0.0, integers that no DOUBLE holds. FSYNC_TEST_SEED repeats a
run, FSYNC_TEST_EXPRESSIONS makes it longer.
"""

from __future__ import annotations

import os
import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import duckdb

from fsync.language.canonical import canonical
from fsync.language.expression import parse
from fsync.language.portable import infer
from fsync.language.types import BIGINT, BOOLEAN, DOUBLE, NULL, SqlType, decimal
from fsync.sql.engines.duckdb import render
from fsync.sql.logical import logical

COUNT = int(os.environ.get("FSYNC_TEST_EXPRESSIONS", "300"))
SEED = int(os.environ.get("FSYNC_TEST_SEED", random.SystemRandom().randrange(2**32)))

COLUMNS: dict[str, SqlType | None] = {
    "n": BIGINT,
    "m": BIGINT,
    "p": decimal(10, 2),
    "r": DOUBLE,
    "f": BOOLEAN,
    "g": BOOLEAN,
}
#: an integer that meets its neighbours where it becomes DOUBLE
BIG = 2**53 + 1
VALUES = {
    "n": ("NULL", "0", "1", str(BIG)),
    "m": ("NULL", "1", str(BIG - 1)),
    "p": ("NULL", "1.50"),
    "r": ("NULL", "1.5", "'nan'::double", "-0.0::double", f"{BIG}::double"),
    "f": ("NULL", "true", "false"),
    "g": ("NULL", "true", "false"),
}

#: a word, and what it is said of: an expression before it is spelled
Tree = tuple[Any, ...]


# ---------------------------------------------------------------- what to say


class Trees:
    """Random expressions over the columns, from few words, so that many are near one another."""

    def __init__(self, randomly: random.Random) -> None:
        self.any = randomly.choice
        self.chance = randomly.random

    def condition(self, depth: int) -> Tree:
        if depth == 0 or self.chance() < 0.1:
            return (self.any(("f", "g", "f", "g", "null", "true")),)
        words = ("and", "or", "not", "and", "or", "not", "=", "<>", "<", "<=", "between", "in", "is null", "if")
        word = self.any(words)
        if word in ("and", "or"):
            return (word, self.condition(depth - 1), self.condition(depth - 1))
        if word == "not":
            return (word, self.condition(depth - 1))
        if word == "if":
            return ("if", self.condition(depth - 1), self.condition(depth - 1), self.condition(0))
        if word == "is null":
            return (word, self.any((self.condition, self.number))(depth - 1))
        if word == "between":
            return (word, *(self.number(depth - 1) for _ in range(3)))
        if word == "in":
            return (word, *(self.number(self.any((0, depth - 1))) for _ in range(self.any((2, 3, 3, 4)))))
        return (word, self.number(depth - 1), self.number(depth - 1))

    def number(self, depth: int) -> Tree:
        if depth == 0 or self.chance() < 0.3:
            return (self.any(("n", "m", "p", "r", "n", "r", "0", "1", "1.5", "1.50", "1.0", "1e0", "2", "null")),)
        word = self.any(("+", "*", "-", "/", "/", "coalesce", "coalesce", "nullif", "if", "match", "neg", "double"))
        if word in ("neg", "double"):
            return (word, self.number(depth - 1))
        if word == "if":
            return (word, self.condition(depth - 1), self.number(depth - 1), self.number(0))
        if word == "match":
            return (word, self.number(depth - 1), self.number(0), self.number(0), self.number(0))
        if word == "coalesce":
            return (word, *(self.number(depth - 1) for _ in range(self.any((2, 3)))))
        return (word, self.number(depth - 1), self.number(depth - 1))

    def near(self, tree: Tree) -> Tree:
        """Another expression that differs in one place: two parts have changed places, or one word is another."""
        if len(tree) == 1 or self.chance() < 0.3:
            other = {
                "and": "or",
                "=": "<>",
                "<": "<=",
                "+": "*",
                "-": "+",
                "1.5": "1.50",
                "1": "1.0",
                "f": "g",
                "n": "r",
            }
            if len(tree) >= 3 and self.chance() < 0.5:
                first, *middle, last = tree[1:]
                return (tree[0], last, *middle, first)
            return (other.get(tree[0], tree[0]), *tree[1:])
        at = self.any(range(1, len(tree)))
        return (*tree[:at], self.near(tree[at]), *tree[at + 1 :])


# ---------------------------------------------------------------- how to spell it


class Speller:
    """An expression as text, in one of the ways that mean the same."""

    def __init__(self, randomly: random.Random) -> None:
        self.any = randomly.choice
        self.shuffled: Callable[[list[str]], list[str]] = lambda items: randomly.sample(items, len(items))
        self.ways: dict[str, Callable[..., str]] = {
            "and": self._and,
            "or": self._or,
            "not": self._not,
            "=": self._equal,
            "<>": self._unequal,
            "<": self._less,
            "<=": self._less_or_equal,
            "between": self._between,
            "in": self._in,
            "is null": self._null,
            "if": self._if,
            "match": self._match,
            "+": self._plus,
            "*": self._times,
            "-": self._minus,
            "/": self._divide,
            "coalesce": self._coalesce,
            "nullif": self._nullif,
            "neg": self._neg,
            "double": self._double,
        }

    def spell(self, tree: Tree) -> str:
        word, *parts = tree
        if not parts:
            return str(self.any((word, word, word.upper(), f"({word})", f'"{word}"' if word in COLUMNS else word)))
        spelled = self.ways[word](*parts)
        return str(self.any((f"({spelled})", f"( {spelled} /* so */)")))

    def _and(self, left: Tree, right: Tree, word: str = "and") -> str:
        pair = [self.spell(left), self.spell(right)]
        turned = self.shuffled(pair)
        other = {"and": "or", "or": "and"}[word]
        return self.any(
            (
                f" {word} ".join(turned),
                f" {word} ".join([*turned, pair[0]]),  # said twice
                f"not (not {turned[0]} {other} not {turned[1]})",
                f"{turned[0]} {word.upper()} {turned[1]}",
            )
        )

    def _or(self, left: Tree, right: Tree) -> str:
        return self._and(left, right, "or")

    def _not(self, inner: Tree) -> str:
        return f"not {self.spell(inner)}"

    def _equal(self, left: Tree, right: Tree) -> str:
        one, other = self.shuffled([self.spell(left), self.spell(right)])
        return self.any((f"{one} = {other}", f"not {one} <> {other}", f"{one} in ({other})", f"{one}=={other}"))

    def _unequal(self, left: Tree, right: Tree) -> str:
        one, other = self.shuffled([self.spell(left), self.spell(right)])
        return self.any((f"{one} <> {other}", f"{one} != {other}", f"not {one}={other}", f"{one} not in ({other})"))

    def _less(self, left: Tree, right: Tree) -> str:
        one, other = self.spell(left), self.spell(right)
        return self.any((f"{one} < {other}", f"{other} > {one}", f"not {one} >= {other}", f"not {other} <= {one}"))

    def _less_or_equal(self, left: Tree, right: Tree) -> str:
        one, other = self.spell(left), self.spell(right)
        return self.any((f"{one} <= {other}", f"{other} >= {one}", f"not {one} > {other}", f"not {other} < {one}"))

    def _between(self, tested: Tree, low: Tree, high: Tree) -> str:
        return f"{self.spell(tested)} between {self.spell(low)} and {self.spell(high)}"

    def _in(self, tested: Tree, *items: Tree) -> str:
        spelled = [self.spell(item) for item in items]
        listed = ", ".join(self.shuffled([*spelled, self.any(spelled)]))
        one = self.spell(tested)
        return self.any((f"{one} in ({listed})", f"not {one} not in ({listed})"))

    def _null(self, tested: Tree) -> str:
        one = self.spell(tested)
        return self.any((f"{one} is null", f"not {one} is not null", f"{one} isnull"))

    def _if(self, condition: Tree, value: Tree, other: Tree) -> str:
        end = self.any(("", " else null")) if other == ("null",) else f" else {self.spell(other)}"
        return f"case when {self.spell(condition)} then {self.spell(value)}{end} end"

    def _match(self, subject: Tree, tested: Tree, value: Tree, other: Tree) -> str:
        one, two, then, end = map(self.spell, (subject, tested, value, other))
        return self.any(
            (f"case {one} when {two} then {then} else {end} end", f"case when {two} = {one} then {then} else {end} end")
        )

    def _plus(self, left: Tree, right: Tree, word: str = "+") -> str:
        return f" {word} ".join(self.shuffled([self.spell(left), self.spell(right)]))

    def _times(self, left: Tree, right: Tree) -> str:
        return self._plus(left, right, "*")

    def _minus(self, left: Tree, right: Tree) -> str:
        return f"{self.spell(left)} - {self.spell(right)}"

    def _divide(self, left: Tree, right: Tree) -> str:
        one, other = self.spell(left), self.spell(right)
        return self.any(
            (f"{one} / {other}", f"{one} / nullif({other}, 0)", f"{one}::double / {other}", f"{one} / {other}::double")
        )

    def _coalesce(self, *parts: Tree) -> str:
        spelled = list(map(self.spell, parts))
        return self.any((f"coalesce({', '.join(spelled)})", f"COALESCE( {','.join(spelled)} )"))

    def _nullif(self, value: Tree, other: Tree) -> str:
        return f"nullif({self.spell(value)}, {self.spell(other)})"

    def _neg(self, value: Tree) -> str:
        return f"- {self.spell(value)}"

    def _double(self, value: Tree) -> str:
        one = self.spell(value)
        return self.any((f"cast({one} as double)", f"{one}::float8", f"CAST({one} AS double precision)"))


# ---------------------------------------------------------------- the engine's word


def table() -> duckdb.DuckDBPyConnection:
    """Every row that the values make."""
    connection = duckdb.connect()
    columns = [f"(select unnest([{', '.join(values)}])::{COLUMNS[name]} as {name})" for name, values in VALUES.items()]
    connection.execute(f"create table t as select * from {', '.join(columns)}")
    return connection


def answers(connection: duckdb.DuckDBPyConnection, texts: list[str]) -> Iterator[tuple[str, str, int]]:
    """Each text, its type, and a hash over its values in every row."""
    for start in range(0, len(texts), 100):
        some = texts[start : start + 100]
        parts = []
        for text in some:
            sql = render(logical(parse(text)), pretty=False)
            # the sign of NaN is no value; an overflow gives none
            shown = f"coalesce(replace(try({sql})::varchar, '-nan', 'nan'), 'NULL')"
            parts.append(f"any_value(typeof({sql})), hash(list({shown} order by rowid))")
        row = connection.execute(f"select {', '.join(parts)} from t").fetchone()
        assert row is not None
        yield from ((text, row[2 * at], row[2 * at + 1]) for at, text in enumerate(some))


def test_one_canonical_form_is_one_value() -> None:
    randomly = random.Random(SEED)
    print(f"FSYNC_TEST_SEED={SEED}")  # shown where it fails
    trees, speller = Trees(randomly), Speller(randomly)
    by_canonical: dict[str, set[str]] = defaultdict(set)
    for _ in range(COUNT):
        tree = randomly.choice((trees.condition, trees.number))(randomly.choice((1, 2, 2, 3)))
        for said in (tree, trees.near(tree)):
            texts = [speller.spell(said) for _ in range(2)]
            kinds = [infer(parse(text), text, COLUMNS, "t") for text in texts]
            if any(faults or kind in (None, NULL) for kind, faults in kinds):
                continue  # no expression that passes the checks
            one, other = (canonical(parse(text), COLUMNS) for text in texts)
            assert one == other, texts
            by_canonical[one] |= set(texts)
    same = [sorted(texts) for texts in by_canonical.values() if len(texts) > 1]
    assert len(same) > COUNT / 2
    with table() as connection:
        spelled = [text for texts in same for text in texts]
        found = {text: (kind, values) for text, kind, values in answers(connection, spelled)}
    for texts in same:
        assert len({found[text] for text in texts}) == 1, {text: found[text] for text in texts}
