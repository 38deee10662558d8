"""What a watch has seen of one view: of its table, and of what is served. No verdicts yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fsync.plan import View

#: values of a feature without NULLs, as `fsync.sql.watched.compared` has them: numbers and ages themselves, in no
#: order; of categories how often there is each
Numbers = np.ndarray[Any, np.dtype[np.float64]]
Categories = Mapping[str, int]
Values = Numbers | Categories


def how_many(values: Values) -> int:
    """The number of values."""
    return len(values) if isinstance(values, np.ndarray) else sum(values.values())


@dataclass(frozen=True)
class Counted:
    """How many entities should have a value of a feature, and how many of those have none."""

    entities: int
    nulls: int


@dataclass(frozen=True)
class Offline:
    """A view's table as of an instant. Instants are epoch milliseconds.

    `entities` are those that something is known of. `values` are of a sample of them, `before` of the baseline of each
    feature (of the same sample of entities, or of a training set); `missing` says why a feature has none.
    `keys` are some entities of the sample. `problem` says why there is no table to look at.
    """

    built_at: int | None = None
    newest_event: int | None = None
    entities: int = 0
    counted: Mapping[str, Counted] = field(default_factory=dict)
    values: Mapping[str, Values] = field(default_factory=dict)
    before: Mapping[str, Values] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    keys: tuple[Any, ...] = ()
    problem: str | None = None


@dataclass(frozen=True)
class Online:
    """What a store answers for entities of a view's table.

    `as_of` is the instant up to which it knows the events, None where the view is not served. `answered` has for each
    feature how many of the `probes` had a value that is no older than promised; `counted` and `values` as for
    `Offline`, of the probes. `problem` says why it answers nothing.
    """

    as_of: int | None = None
    probes: int = 0
    answered: Mapping[str, int] = field(default_factory=dict)
    counted: Mapping[str, Counted] = field(default_factory=dict)
    values: Mapping[str, Values] = field(default_factory=dict)
    problem: str | None = None
    #: whether it was pushed as of a later instant than is looked at
    is_too_new: bool = False


@dataclass(frozen=True)
class Look:
    """One view at one instant; `online` None where no store is watched."""

    view: View
    at: int
    offline: Offline
    online: Online | None = None
