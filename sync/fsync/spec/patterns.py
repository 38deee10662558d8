"""What texts of a spec look like, as patterns that Python, ECMAScript and so JSON Schema read alike."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Final

from fsync.language.duration import UNITS, parse_duration

#: more than 0 and at most 100, and a sign: 99.5%
PERCENTAGE: Final = r"^\s*(?!0*(?:\.0*)?\s*%)0*(?:100(?:\.0*)?|[0-9]{1,2}(?:\.[0-9]*)?|\.[0-9]+)\s*%$"
HOW_TO_WRITE_PERCENTAGE: Final = "a percentage is more than 0% and at most 100%: 99.5%"
#: the same, or 0%
SHARE: Final = r"^\s*0*(?:100(?:\.0*)?|[0-9]{1,2}(?:\.[0-9]*)?|\.[0-9]+)\s*%$"
HOW_TO_WRITE_SHARE: Final = "a share is a percentage from 0% to 100%: 5%"
#: a day as YAML reads one without quotes; the 31st of June is left to `format: date`
DATE: Final = r"^(?!0000)[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])$"
HOW_TO_WRITE_DATE: Final = "a date is written 1997-01-31, without quotes"
#: something beside spaces
TEXT: Final = r"\S"


def _longest(unit: str) -> int:
    """How many of a unit are the longest duration: `parse_duration` knows, and nobody else."""
    return bisect_left(range(1, 10**15), True, key=lambda number: _is_refused(f"{number}{unit}"))


def _is_refused(text: str) -> bool:
    try:
        parse_duration(text)
    except ValueError:
        return True
    return False


def _up_to(most: int) -> str:
    """The whole numbers from 1 to `most`, without zeros before them."""
    return f"(?:{'|'.join(_ways(str(most)))})"


def _ways(most: str) -> Iterator[str]:
    if len(most) > 1:
        yield f"[1-9][0-9]{{0,{len(most) - 2}}}"
    for index, digit in enumerate(most):  # as long, and at this digit the first time less
        least = 1 if index == 0 else 0
        if int(digit) > least:
            yield f"{most[:index]}[{least}-{int(digit) - 1}][0-9]{{{len(most) - index - 1}}}"
    yield most


#: what `parse_duration` reads: at most 15 digits, more than nothing, at most a hundred years
DURATION: Final = (
    r"^\s*(?=[0-9]{1,15}[a-z])0*(?:" + "|".join(f"{_up_to(_longest(unit))}{unit}" for unit in UNITS) + r")\s*$"
)
