"""How the values of a feature lie, now and in its baseline: shares in bins that both have in common, for a picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from fsync.sql.watched import Kind, kind_of
from fsync.watch.look import Look, Values

_BINS: Final = 40
_CATEGORIES: Final = 20
#: values beyond these quantiles of both samples are in the first and the last bin
_TAILS: Final = (0.005, 0.995)


@dataclass(frozen=True)
class Distribution:
    """Shares from 0 to 1, each list as long as `labels`: values, or the lower ends of bins where it `is_binned`.

    `online` is None where no store was watched. `now` and `before` are of the table.
    """

    kind: Kind
    labels: tuple[float | str, ...]
    now: tuple[float, ...]
    before: tuple[float, ...]
    online: tuple[float, ...] | None
    is_binned: bool = False


def distributions(look: Look) -> Mapping[str, Distribution]:
    """The distributions of the features of a view, as far as there is anything to see."""
    found: dict[str, Distribution] = {}
    online = {} if look.online is None else look.online.values
    for planned in look.view.features:
        now, before = look.offline.values.get(planned.name), look.offline.before.get(planned.name)
        if now is None or before is None or not len(now) or not len(before):
            continue
        kind, served = kind_of(planned), online.get(planned.name)
        bins = _categories if kind == "category" else _numbers
        labels, shares, is_binned = bins(now, before, served)
        if kind == "category" and planned.feature.classification:  # values of a class are shown to nobody
            labels = tuple(f"category {number}" for number in range(1, len(labels) + 1))
        online_shares = shares[2] if len(shares) > 2 else None
        found[planned.name] = Distribution(kind, labels, shares[0], shares[1], online_shares, is_binned)
    return found


#: labels, shares of each side, and whether labels are bins
_Binned = tuple[tuple[float | str, ...], list[tuple[float, ...]], bool]


def _numbers(now: Values, before: Values, served: Values | None) -> _Binned:
    both = np.concatenate([now, before])
    both = both[np.isfinite(both)]
    low, high = np.quantile(both, _TAILS) if len(both) else (0.0, 1.0)
    different = np.unique(both[(both >= low) & (both <= high)])
    is_binned = not 1 < len(different) <= _BINS
    # of few values, each has a bar of its own
    edges = np.linspace(low, high if high > low else low + 1, _BINS + 1)[:-1] if is_binned else different
    places = (np.searchsorted(edges, _from(edges[0], side), side="right") - 1 for side in _sides(now, before, served))
    shares = [_shares(place, len(edges)) for place in places]
    return tuple(float(edge) for edge in edges), shares, is_binned


def _from(low: float, values: Values) -> Values:
    found: Values = np.maximum(np.where(np.isnan(values), np.inf, values), low)
    return found


def _categories(now: Values, before: Values, served: Values | None) -> _Binned:
    names, counts = np.unique(np.concatenate([now, before]), return_counts=True)
    common = sorted(str(name) for name in names[np.argsort(-counts, kind="stable")[:_CATEGORIES]])
    labels = (*common, "(others)") if len(names) > _CATEGORIES else tuple(common)
    places = {name: place for place, name in enumerate(common)}
    others = len(labels) - 1
    shares = [
        _shares(np.array([places.get(str(value), others) for value in side]), len(labels))
        for side in _sides(now, before, served)
    ]
    return labels, shares, False


def _sides(now: Values, before: Values, served: Values | None) -> list[Values]:
    return [now, before, *([] if served is None else [served])]


def _shares(places: Values, length: int) -> tuple[float, ...]:
    if not len(places):
        return (0.0,) * length
    counts = np.bincount(np.clip(places, 0, length - 1).astype(int), minlength=length)
    return tuple(round(float(share), 6) for share in counts / len(places))
