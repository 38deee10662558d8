"""Back to the version of a view that was served before, while its keys are there."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fsync import pushed, wire
from fsync.aim import GRACE_MS
from fsync.errors import InputError, NotAllowed
from fsync.lease import Lease
from fsync.store import Store


@dataclass(frozen=True)
class RollbackReport:
    """What is served after a rollback. Instants are epoch milliseconds; `lives` is how long its meta has left."""

    view: str
    hash: str
    replaces: str
    as_of: int
    horizon: int
    lives: int


def roll_back(
    view: str,
    store: Store,
    *,
    prefix: str = wire.PREFIX,
    to: str | None = None,
    allowed: frozenset[str] | None = None,
) -> RollbackReport:
    """Serve another version of a view, in one step; no key is written. Twice is back again.

    Args:
        view: the name of a view; its specs are not asked.
        to: the hash of the version; without one, the one that was served before this one.
        allowed: the classes of values that the store may hold; None for all.

    Raises:
        NotAllowed: when the version has values of another class.
        InputError: when there is no such version, its keys have expired, or its push was cut off.
        PushUnderWay: when a push of the view has the lease.
    """
    with Lease(store, prefix, view) as lease:
        served = pushed.served(store, prefix, view)
        if served is None:
            raise InputError(f"the view {view} was not pushed to {store.name}, or has expired")
        version = to or served.replaces
        if version is None:
            raise InputError(f"no version of {view} was served before {served.hash}")
        if version == served.hash:
            raise InputError(f"{view}@{version} is what is served")
        meta = pushed.version(store, prefix, view, version)
        # the keys outlive it
        lives = (store.lives(wire.version_key(prefix, view, version)) or 0) - GRACE_MS
        if meta is None or lives <= 0:
            raise InputError(f"the keys of {view}@{version} have expired", "change the specs back, build and push")
        if isinstance(meta, wire.Pushing):
            raise InputError(f"the push of {view}@{version} was cut off: nobody knows what its keys hold")
        classes = {name for feature in meta.features for name in feature.classification}
        if allowed is not None and not classes <= allowed:
            forbidden = ", ".join(sorted(classes - allowed))
            raise NotAllowed(f"{view}@{version} has values of class {forbidden}, which {store.name} may not hold")
        meta = replace(meta, replaces=served.hash)
        lease.switch([(wire.meta_key(prefix, view), wire.encode_meta(meta), lives)])
    return RollbackReport(view, meta.hash, served.hash, meta.as_of, meta.horizon, lives)
