"""`fsync access`: the policy of a project, for those who enforce it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fsync.wire import PREFIX
from fsync_cli.console import emit, emit_json, say
from fsync_cli.options import Json, Prefix, ProjectDir, Target

access = typer.Typer(
    help="Say to Redis or to the warehouse who may read which views (vars.fsync.access in dbt_project.yml).",
    no_args_is_help=True,
)


@access.command("redis")
def redis(prefix: Prefix = PREFIX, project_dir: ProjectDir = Path(), json: Json = False) -> None:
    """Print ACL rules for Redis, one a role: fsync access redis | redis-cli.

    A user gets the commands of a reader, and the keys of the views that the role may read. Passwords are yours to set:
    ACL SETUSER crm on >password.
    """
    from fsync.access import redis_rules
    from fsync.compile import plan_project
    from fsync.spec.project import open_project

    plan = plan_project(open_project(project_dir))
    rules = redis_rules(plan.access, plan, prefix)
    if json:
        emit_json({"rules": rules})
        return
    for rule in rules:
        emit(rule)
    say("set a password for each user, and one for `default`, who may do everything until then")


@access.command("sql")
def sql(
    adapter: Annotated[
        str | None,
        typer.Option("--adapter", envvar="FSYNC_ADAPTER", help="dbt's adapter.", show_default="the target's"),
    ] = None,
    target: Target = None,
    project_dir: ProjectDir = Path(),
    json: Json = False,
) -> None:
    """Print grants as dbt's configuration, for dbt_project.yml: dbt grants them with each build."""
    from fsync.access import sql_grants
    from fsync.compile import plan_project
    from fsync.properties import to_yaml
    from fsync.spec.project import open_project
    from fsync.warehouse.profile import adapter_of

    project = open_project(project_dir)
    plan = plan_project(project)
    grants = sql_grants(plan.access, plan, project, adapter or adapter_of(project, target))
    if json:
        emit_json(grants)
    else:
        emit(to_yaml(grants).rstrip())
