"""How the values of a feature lie, now and in its baseline: shares in bins that both have in common, for a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from fsync.sql.watched import Kind, kind_of
from fsync.watch.look import Look, how_many

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
    """The distributions of the features of a view, as far as there is anything to see; none of values of a class."""
    found: dict[str, Distribution] = {}
    online = {} if look.online is None else look.online.values
    for planned in look.view.features:
        now, before = look.offline.values.get(planned.name), look.offline.before.get(planned.name)
        if planned.feature.classification or now is None or before is None:
            continue
        if not how_many(now) or not how_many(before):
            continue
        kind, served = kind_of(planned), online.get(planned.name)
        sides = [now, before, *([] if served is None else [served])]
        labels, shares, is_binned = _categories(sides) if kind == "category" else _numbers(sides)
        online_shares = shares[2] if len(shares) > 2 else None
        found[planned.name] = Distribution(kind, labels, shares[0], shares[1], online_shares, is_binned)
    return found


#: labels, shares of each side, and whether labels are bins
_Binned = tuple[tuple[float | str, ...], list[tuple[float, ...]], bool]


def _numbers(sides: Sequence[Any]) -> _Binned:
    both = np.concatenate(sides[:2])
    both = both[np.isfinite(both)]
    # halves, since the distance between two of the largest numbers is none
    low, high = 2 * np.quantile(both / 2, _TAILS) if len(both) else (0.0, 1.0)
    different = np.unique(both[(both >= low) & (both <= high)])
    is_binned = not 1 < len(different) <= _BINS
    # of few values, each has a bar of its own
    edges = (
        2 * np.linspace(low / 2, high / 2 if high > low else low / 2 + 1, _BINS + 1)[:-1] if is_binned else different
    )
    counts = (_counts(side, edges) for side in sides)
    return tuple(float(edge) for edge in edges), [_shares(count) for count in counts], is_binned


def _counts(values: Any, edges: Any) -> Any:
    # NaN is larger than all numbers
    places = np.searchsorted(edges, np.where(np.isnan(values), np.inf, values), "right") - 1
    return np.bincount(np.clip(places, 0, len(edges) - 1), minlength=len(edges))


def _categories(sides: Sequence[Any]) -> _Binned:
    now, before = sides[:2]
    together = {name: now.get(name, 0) + before.get(name, 0) for name in {**now, **before}}
    common = sorted(sorted(together, key=lambda name: (-together[name], name))[:_CATEGORIES])
    labels = (*common, "(others)") if len(together) > _CATEGORIES else tuple(common)
    counts = ([side.get(name, 0) for name in common] for side in sides)
    others = [how_many(side) for side in sides]
    whole = [[*count, all_ - sum(count)][: len(labels)] for count, all_ in zip(counts, others, strict=True)]
    return labels, [_shares(np.array(count)) for count in whole], False


def _shares(counts: Any) -> tuple[float, ...]:
    whole = counts.sum() or 1
    return tuple(round(float(count / whole), 6) for count in counts)
