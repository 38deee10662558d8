from __future__ import annotations

import pytest

from fsync.language.duration import parse_duration

DAY = 86_400_000


@pytest.mark.parametrize(
    ("text", "milliseconds", "canonical"),
    [
        ("1s", 1_000, "1s"),
        ("90s", 90_000, "90s"),
        ("60s", 60_000, "1m"),
        ("5m", 300_000, "5m"),
        ("24h", DAY, "1d"),
        ("36h", 36 * 3_600_000, "36h"),
        ("30d", 30 * DAY, "30d"),
        ("4w", 28 * DAY, "28d"),
        (" 7d ", 7 * DAY, "7d"),
        ("36525d", 36_525 * DAY, "36525d"),
    ],
)
def test_a_duration_has_one_length_and_one_canonical_spelling(text: str, milliseconds: int, canonical: str) -> None:
    assert parse_duration(text).milliseconds == milliseconds
    assert str(parse_duration(text)) == canonical


@pytest.mark.parametrize(
    "text", ["", "30", "d", "30 d", "1.5d", "-1d", "30D", "1y", "1mo", "30d1h", "0d", "36526d", "9" * 5000 + "d", "٣d"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a duration|hundred years|no time at all"):
        parse_duration(text)
