"""The YAML that fsync writes has the same bytes whether or not PyYAML was built with libyaml."""

from __future__ import annotations

import random
import string

import pytest
import yaml

from fsync import properties

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
