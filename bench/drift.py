"""How often drift is seen where there is none, and where there is.

    python bench/drift.py [--full] [--pairs N]

By pairs of samples. Of one distribution: the share with p < 0.01. Its exact 99 % interval must not lie above
0.01, and must have it within where values are continuous; with ties, the test of Kolmogorov and Smirnov errs on the
safe side. Of normal distributions 0.2 standard deviations apart, 10,000 values each: more than 99 % of the pairs must
have p < 0.01 and an effect that counts by default.

As many pairs of 1,000 values are drawn as are asked for, and a tenth of 10,000, but at least a hundred.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from measure import Bench, arguments, in_child

if TYPE_CHECKING:  # children load these
    from fsync.watch.look import Numbers

#: the sizes of samples
SMALL: Final = 1_000
LARGE: Final = 10_000
#: what is an alarm, and how sure its share lies within the interval
P: Final = 0.01
SURE: Final = 0.99
#: in standard deviations
SHIFT: Final = 0.2


def main() -> None:
    given = arguments(__doc__, unit="pairs", small=1_000, full=10_000)
    bench = Bench("drift", {"pairs_asked": given.size})
    (alarms, seen), _ = in_child(judge_pairs, given.size, max(100, given.size // 10))
    for (kind, size), share in alarms.items():
        name = f"false alarms, {kind}, {size:,} values"
        bench.tell(name, share.of_pairs, "of pairs", pairs=share.pairs, p=P)
        bench.tell(f"{name}: lower end", share.low, "of pairs", at_most=P, confidence=SURE)
        wanted = P if kind == "continuous" else None
        bench.tell(f"{name}: upper end", share.high, "of pairs", at_least=wanted, confidence=SURE)
    for shape, share in seen.items():
        name = f"{SHIFT} standard deviations, {shape}, {LARGE:,} values: seen"
        wanted = 0.99 if shape == "normal" else None
        interval = [round(share.low, 4), round(share.high, 4)]
        bench.tell(name, share.of_pairs, "of pairs", at_least=wanted, pairs=share.pairs, interval=interval)


# ---------------------------------------------------------------- work for children: drift

#: what two samples are of
_KINDS: Final = ("continuous", "with ties", "categories")
#: what one of two samples is moved in
_SHAPES: Final = ("normal", "uniform")
_CATEGORIES: Final = 12


@dataclass(frozen=True)
class Share:
    """How many of the pairs; `low` and `high` are the ends of the interval that the true share lies within."""

    of_pairs: float
    pairs: int
    low: float
    high: float


def judge_pairs(many: int, few: int) -> tuple[dict[tuple[str, int], Share], dict[str, Share]]:
    """The shares of false alarms, by kind and size of samples, of many small pairs and few large ones; of few large
    pairs that differ, the shares in which that is seen."""
    sizes = ((SMALL, many), (LARGE, few))
    alarms = {(kind, size): false_alarms(kind, size, pairs) for kind in _KINDS for size, pairs in sizes}
    return alarms, {shape: changes_seen(shape, LARGE, few) for shape in _SHAPES}


def false_alarms(kind: str, size: int, pairs: int) -> Share:
    """Of pairs of samples of one distribution, those that are said to differ."""
    import numpy as np

    from fsync.watch.drift import compare_categories, compare_numbers

    random = np.random.default_rng([_KINDS.index(kind), size])
    weights = 1 / np.arange(1, _CATEGORIES + 1)

    def categories() -> dict[str, int]:
        counts = random.multinomial(size, weights / weights.sum())
        return {f"channel {number}": int(count) for number, count in enumerate(counts) if count}

    def p() -> float:
        if kind == "categories":
            return compare_categories(categories(), categories()).p
        if kind == "with ties":
            return compare_numbers(*(random.poisson(3, size).astype(np.float64) for _ in range(2))).p
        return compare_numbers(random.standard_normal(size), random.standard_normal(size)).p

    return _share(sum(p() < P for _ in range(pairs)), pairs)


def changes_seen(shape: str, size: int, pairs: int) -> Share:
    """Of pairs of samples that are apart, those of which a change is told."""
    import numpy as np

    from fsync.spec.monitors import Monitors
    from fsync.watch.drift import compare_numbers

    random = np.random.default_rng(_SHAPES.index(shape))

    def draw() -> Numbers:
        """Of a standard deviation of 1."""
        return random.standard_normal(size) if shape == "normal" else random.uniform(0, 12**0.5, size)

    found = (compare_numbers(draw() + SHIFT, draw()) for _ in range(pairs))
    return _share(sum(one.p < P and one.effect >= Monitors().drift_effect for one in found), pairs)


def _share(seen: int, pairs: int) -> Share:
    from scipy import stats

    interval = stats.binomtest(int(seen), pairs).proportion_ci(SURE, method="exact")
    return Share(seen / pairs, pairs, float(interval.low), float(interval.high))


if __name__ == "__main__":
    main()
