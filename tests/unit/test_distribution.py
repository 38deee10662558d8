"""Distributions, for a picture: of odd values too."""

from __future__ import annotations

import numpy as np
import pytest

from fsync.watch.distribution import _numbers
from fsync.watch.offline import spread


@pytest.mark.filterwarnings("error")
def test_numbers_as_far_apart_as_there_are_have_bins() -> None:
    values = np.linspace(-1, 1, 1_000) * 1.7e308
    edges, (shares, _), is_binned = _numbers([values, values])
    assert is_binned
    assert np.isfinite(edges).all()
    # forty bins of a uniform sample
    assert max(shares) < 0.05


@pytest.mark.parametrize("rows", [1, 999, 1_000, 1_001, 1_500, 2_001, 10_000])
def test_probes_are_as_many_as_there_can_be_from_all_over(rows: int) -> None:
    found = spread(rows, 1_000)
    assert len(set(found)) == min(rows, 1_000)
    assert found[0] == 0
    assert found[-1] >= rows - 1 - rows // 1_000
