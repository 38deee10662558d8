"""Who may read which views, and which stores may hold them: the policy of `vars.fsync.access`, put to use."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from fsync import wire
from fsync.errors import InputError, NotAllowed, SpecErrors
from fsync.plan import Plan, View
from fsync.root import find_root
from fsync.spec.policy import Access, Role, load_policy
from fsync.spec.project import Project, open_project

#: dbt's adapters whose warehouses have no grants
_WITHOUT_GRANTS: Final = frozenset({"duckdb", "sqlite"})
#: all that a reader says to Redis: fsync.read in any version, redis-cli and other clients that only read values
_READING: Final = "+auth +hello +ping +select +readonly +client|setname +get +mget +command +cluster|slots"
#: users of Redis, and names that need no quotes where this is pasted
_USER: Final = re.compile(r"[A-Za-z0-9_.@-]+")


def readable(role: Role, plan: Plan) -> tuple[View, ...]:
    """The views that a role may read."""
    return tuple(view for view in plan.views if role.reads(view.name, view.classes))


def refuse_forbidden(views: Iterable[View], access: Access, store: str) -> None:
    """Refuse to bring views into a store that may not hold them.

    Args:
        store: its URL, without a password (`fsync.store.public_url`).

    Raises:
        NotAllowed: naming every view and the classes that the store may not hold.
    """
    allowed = access.allowed_in(store)
    if allowed is None:
        return
    forbidden = {view.name: sorted(view.classes - allowed) for view in views if view.classes - allowed}
    if forbidden:
        told = "; ".join(f"{view} has values of class {', '.join(classes)}" for view, classes in forbidden.items())
        raise NotAllowed(
            f"{store} may not hold what it is to get: {told}",
            "push the other views by name, or say in vars.fsync.access.stores that this store may hold them",
        )


def allowed_by(folder: Path, store: str) -> frozenset[str] | None:
    """The classes that a store may hold by the policy of the project at or above a folder; None for all of them.

    Raises:
        SpecErrors: for a policy with faults. Where there is no project, nobody says anything.
    """
    if find_root(folder.expanduser().resolve()) is None:
        return None
    policy, faults = load_policy(open_project(folder))
    if faults:
        raise SpecErrors(faults)
    return policy.access.allowed_in(store)


def redis_rules(access: Access, plan: Plan, prefix: str = wire.PREFIX) -> tuple[str, ...]:
    """A command a role that lets a user of this name read the views that the role may read, and nothing else.

    It sets neither a password nor whether the user is on.

    Raises:
        InputError: for a role whose name no user of Redis can have here.
    """
    return tuple(_rule(role, plan, prefix) for role in _roles(access))


def _rule(role: Role, plan: Plan, prefix: str) -> str:
    if not _USER.fullmatch(role.name):
        raise InputError(
            f"the role {role.name!r} cannot be a user of Redis", "a name is letters, digits and any of _ . @ -"
        )
    views = readable(role, plan)
    names = {view.name for view in views}
    # a service is what somebody may read who may read all that it is made of
    services = [service for service in plan.services if {view.name for view in service.views} <= names]
    keys = [pattern for view in views for pattern in wire.view_patterns(prefix, view.name)]
    keys += [wire.literal_pattern(wire.service_key(prefix, service.name)) for service in services]
    return " ".join(
        [f"ACL SETUSER {role.name} resetkeys resetchannels -@all {_READING}", *(f"~{pattern}" for pattern in keys)]
    )


def sql_grants(access: Access, plan: Plan, project: Project, adapter: str) -> Mapping[str, Any]:
    """The grants of a policy as dbt's configuration, for `models:` in dbt_project.yml.

    Raises:
        InputError: for an adapter whose warehouse has no grants, or where no role is declared.
    """
    if adapter in _WITHOUT_GRANTS:
        raise InputError(
            f"{adapter} has no grants: whoever can read the file can read all of it",
            "guard the file; for a warehouse of another kind, name it with --adapter postgres, snowflake, …",
        )
    roles = _roles(access)
    folder = project.generated.name
    grants = {
        view.name: {"+grants": {"select": [role.name for role in roles if role.reads(view.name, view.classes)]}}
        for view in plan.views
    }
    return {"models": {project.name: {folder: grants}}}


def _roles(access: Access) -> Sequence[Role]:
    if not access.roles:
        raise InputError(
            "the project declares no roles",
            "say in dbt_project.yml who reads what: vars: {fsync: {access: {roles: {crm: {views: [user_*]}}}}}",
        )
    return access.roles
