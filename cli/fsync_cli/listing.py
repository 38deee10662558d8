"""`fsync list`"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fsync_cli.console import counted, emit, emit_json, say, table
from fsync_cli.options import Json, ProjectDir

if TYPE_CHECKING:
    from fsync.registry.records import FeatureRecord


def list_(
    owner: Annotated[
        str | None, typer.Option("--owner", envvar="FSYNC_LIST_OWNER", metavar="NAME", help="Only what they own.")
    ] = None,
    of_class: Annotated[
        str | None,
        typer.Option("--class", envvar="FSYNC_LIST_CLASS", metavar="CLASS", help="Only pii, or pci."),
    ] = None,
    tag: Annotated[
        str | None, typer.Option("--tag", envvar="FSYNC_LIST_TAG", metavar="TAG", help="Only what has this tag.")
    ] = None,
    view: Annotated[
        str | None, typer.Option("--view", envvar="FSYNC_LIST_VIEW", metavar="VIEW", help="Only those of a view.")
    ] = None,
    project_dir: ProjectDir = Path(),
    json: Json = False,
) -> None:
    """List features and services, with what their specs say.

    dbt builds the same as tables: fsync_registry_features and the others beside it.
    """
    from fsync.compile import plan_project
    from fsync.registry.records import feature_records, service_record
    from fsync.spec.project import open_project

    def is_asked_for(record: FeatureRecord) -> bool:
        return (
            (owner is None or record.owner == owner)
            and (of_class is None or of_class in record.classification.split(", "))
            and (tag is None or tag in record.tags.split(", "))
            and (view is None or record.view_name == view)
        )

    plan = plan_project(open_project(project_dir))
    records = [record for record in feature_records(plan) if is_asked_for(record)]
    names = {record.feature for record in records}
    services = [service_record(service) for service in plan.services]
    services = [service for service in services if set(service.features) & names]
    if json:
        emit_json({"features": list(map(asdict, records)), "services": list(map(asdict, services))})
        return
    rows = [
        [
            record.feature,
            record.view_name,
            record.owner,
            record.classification,
            record.freshness or "",
            _definition(record),
        ]
        for record in records
    ]
    emit(table(["feature", "view", "owner", "class", "fresh", "definition"], rows))
    for service in services:
        say(f"service {service.service} ({service.owner}) reads {counted(len(service.features), 'feature')}")
    say(counted(len(records), "feature"))


def _definition(record: FeatureRecord) -> str:
    where = f" where {record.condition}" if record.condition is not None else ""
    deprecated = f" (deprecated since {record.deprecated_since})" if record.deprecated_since is not None else ""
    return f"{record.transformation}{where}{deprecated}"
