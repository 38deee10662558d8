"""A declared `data_type` is read into one of the few types of the language."""

from __future__ import annotations

import pytest

from fsync.language.types import BIGINT, TIMESTAMP, VARCHAR, SqlType, decimal, parse_type


@pytest.mark.parametrize(
    ("declared", "kind"),
    [
        ("INTEGER", BIGINT),
        ("numeric( 12 , 3 )", decimal(12, 3)),
        ("decimal(12)", decimal(12, 0)),
        ("varchar(20)", VARCHAR),
        ("Timestamp With Time Zone", TIMESTAMP),
        ("timestamp_ns", None),
        ("hugeint", None),
        ("decimal(39,2)", None),
        ("int[]", None),
        ("", None),
    ],
)
def test_a_declared_type_is_read_into_the_nearest(declared: str, kind: SqlType | None) -> None:
    assert parse_type(declared) == kind
