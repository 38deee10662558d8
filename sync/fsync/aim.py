"""What a store is to hold after a push: the keys of one version of a view, as of an instant, and its meta."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fsync import wire
from fsync.errors import InputError
from fsync.instant import END, to_text
from fsync.language.duration import Duration
from fsync.plan import View
from fsync.pushed import Pushed
from fsync.sql.empty import empty_values
from fsync.warehouse.duckdb import Table

#: how long a view outlives its horizon, and its values outlive its meta
GRACE_MS: Final = 86_400_000


@dataclass(frozen=True)
class Aim:
    """What the store is to hold."""

    view: View
    table: Table
    prefix: str
    #: as it will be written, but for what only the push knows: its number of rows, itself, and what it replaces
    meta: wire.Meta
    #: how long the meta lives from its push, in milliseconds
    meta_ttl: int

    @classmethod
    def of(cls, view: View, table: Table, as_of: int | None, horizon: Duration, prefix: str, *, sparse: bool) -> Aim:
        """The aim of a push; see `fsync.push.push_view`.

        Raises:
            InputError: when `as_of` is later than the table's build.
        """
        instant = _known_instant(table, as_of)
        meta = wire.Meta(
            view=view.name,
            hash=view.hash,
            entity=view.entity_types,
            features=tuple(
                wire.FeatureMeta(
                    name=planned.name,
                    type=planned.type,
                    empty=empty,
                    freshness=planned.feature.freshness.milliseconds if planned.feature.freshness else None,
                    classification=planned.feature.classification,
                    version=planned.version,
                )
                for planned, empty in zip(view.features, empty_values(view), strict=True)
            ),
            as_of=instant,
            since=instant,
            horizon=min(instant + horizon.milliseconds, END),
            rows=0,
            sparse=sparse,
            push="",
            replaces=None,
            built_at=table.built_at,
        )
        return cls(view, table, prefix, meta, horizon.milliseconds + GRACE_MS)

    @property
    def key_ttl(self) -> int:
        """Longer than the meta lives, so that it is enough to extend the keys now and then."""
        return self.meta_ttl + GRACE_MS

    @property
    def meta_key(self) -> str:
        return wire.meta_key(self.prefix, self.view.name)

    @property
    def version_key(self) -> str:
        return wire.version_key(self.prefix, self.view.name, self.view.hash)

    def is_held(self, known: Pushed) -> bool:
        """Whether the store holds it already, so that there is nothing to compare."""
        of = (self.meta.as_of, self.meta.horizon, self.meta.sparse, self.table.built_at)
        return (known.as_of, known.horizon, known.sparse, known.built_at) == of


def _known_instant(table: Table, as_of: int | None) -> int:
    """The instant to push, which the table must know all about."""
    if as_of is None:
        return table.built_at
    if as_of > table.built_at:
        raise InputError(
            f"the table of {table.view} was built at {to_text(table.built_at)}, and knows nothing of the time until "
            f"{to_text(as_of)}",
            "push as of an earlier instant, or build first",
        )
    return as_of
