"""A chart of a feature's page, and what charts have in common: colours, units, how numbers are written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

# told apart by those who see no red or no green, and on light and dark paper
BLUE: Final = "#2274b5"
LIGHT_BLUE: Final = "#74bdec"
GREY: Final = "#a7b2be"
ORANGE: Final = "#d55e00"

#: units of time: name and length in seconds, the longest first
_UNITS: Final = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))

Json = dict[str, Any]


@dataclass(frozen=True)
class Chart:
    """A chart of a feature. `note` explains it; or says why there is none, where `figure` (Plotly's) is None."""

    name: str
    title: str
    note: str
    figure: Json | None = None


def unit_of(seconds: float) -> tuple[str, int]:
    """The longest unit that there are two of, and its length in seconds."""
    return next(((name, length) for name, length in _UNITS if seconds >= 2 * length), _UNITS[-1])


def rounded(value: float, digits: int) -> float:
    """As many digits as can be seen."""
    return float(f"{value:.{digits}g}")


def in_percent(share: float) -> str:
    """A share in percent; only what is all of it is 100%."""
    if share == 1:
        return "100%"
    return f"{min(share, 0.9999):.2%}"
