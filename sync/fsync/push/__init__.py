"""Offline to online: the views of a project, and the services over them, into stores."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, nullcontext

from fsync import wire
from fsync.access import refuse_forbidden
from fsync.compile import plan_project
from fsync.errors import InputError, StoreOutOfReach
from fsync.language.duration import Duration
from fsync.plan import View
from fsync.push.services import ServiceReport, push_services
from fsync.push.view import DEFAULT_HORIZON, Progress, PushReport, push_view
from fsync.pushed import folder_of
from fsync.spec.project import Project
from fsync.store import open_store, public_url
from fsync.warehouse.duckdb import Warehouse
from fsync.warehouse.profile import read_profile

__all__ = [
    "DEFAULT_HORIZON",
    "Progress",
    "PushReport",
    "ServiceReport",
    "push_project",
    "push_services",
    "push_view",
]

#: called with a view before it is pushed; what is entered then is told how far it is
Watching = Callable[[View], AbstractContextManager[Progress]]


def push_project(
    project: Project,
    stores: Sequence[str],
    *,
    views: Sequence[str] = (),
    target: str | None = None,
    as_of: int | None = None,
    horizon: Duration = DEFAULT_HORIZON,
    prefix: str = wire.PREFIX,
    sparse: bool = True,
    full: bool = False,
    dry_run: bool = False,
    watching: Watching = lambda _view: nullcontext(lambda _done, _all: None),
) -> Iterator[PushReport | ServiceReport]:
    """Make each store hold a project's views, and then know the services over them.

    Before anything is pushed, all that can be refused is: a store that may not hold what it is to get, and a view that
    is not built as its specs say.

    Args:
        stores: the URLs of the stores (`fsync.store.open_store`), which get the views one after another.
        views: their names; none for all of them.
        target: dbt's, of whose warehouse the tables are; None for the profile's own.
        as_of, horizon, prefix, sparse, full, dry_run: see `push_view`.
        watching: what is told how each view gets on.

    Yields:
        A report a view and then a service, of one store after another, as soon as it is done. After a store that does
        not answer the others get theirs: one of them may be what is read meanwhile.

    Raises:
        SpecErrors: when the specs have faults.
        InputError: for a view or a URL that is not one, and see `push_view`.
        NotAllowed: when a store may not hold a view (`vars.fsync.access`).
        NotBuilt, WarehouseOutOfReach: when tables cannot be read.
        PushUnderWay, StoreOutOfReach: see `push_view`. What was reported until then is pushed.
    """
    if isinstance(stores, str) or not stores:
        raise InputError("stores are one or more URLs, in a list")
    plan = plan_project(project)
    chosen = plan.chosen(views)
    for url in stores:
        refuse_forbidden(chosen, plan.access, public_url(url))
    with ExitStack() as opened:
        targets = [opened.enter_context(closing(open_store(url))) for url in stores]
        warehouse = opened.enter_context(Warehouse(read_profile(project, target)))
        for view in chosen:
            warehouse.table(view)  # a view that is not built is said before any is pushed
        failed: list[StoreOutOfReach] = []
        for store in targets:
            try:
                for view in chosen:
                    with watching(view) as progress:
                        report = push_view(
                            view,
                            warehouse,
                            store,
                            record=folder_of(project.root, store, prefix, view.name, view.hash),
                            as_of=as_of,
                            horizon=horizon,
                            prefix=prefix,
                            sparse=sparse,
                            full=full,
                            dry_run=dry_run,
                            progress=progress,
                        )
                    yield report
                yield from push_services(
                    plan.services_of(chosen),
                    store,
                    horizon=horizon,
                    prefix=prefix,
                    dry_run=dry_run,
                    pushing=[view.name for view in chosen] if dry_run else [],
                )
            except StoreOutOfReach as error:
                failed.append(error)
        if failed:
            raise failed[0] if len(failed) == 1 else StoreOutOfReach("; ".join(map(str, failed)), failed[0].mend)
