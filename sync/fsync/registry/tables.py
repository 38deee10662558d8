"""The registry: tables that dbt builds of what it knows of features. They say nothing that is not said elsewhere.

Each is a model of a few words; what it calls stands in the dbt package (macros/registry/).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fsync.plan import View

#: below the compiled models
FOLDER: Final = "registry"


@dataclass(frozen=True)
class RegistryTable:
    """One table: its name, what it holds, its configuration, its query, and what makes a row one of its kind."""

    name: str
    description: str
    query: str
    key: tuple[str, ...] = ()
    config: str = "materialized='table'"


TABLES: Final = (
    RegistryTable("features", "One row a feature, as its spec says it.", "fsync.registry_features()", ("feature",)),
    RegistryTable(
        "views", "One row a feature view: its version and where its table is.", "fsync.registry_views()", ("view_name",)
    ),
    RegistryTable(
        "services",
        "One row for each feature of a service, in the order of the model's inputs.",
        "fsync.registry_services()",
    ),
    RegistryTable(
        "owners",
        "One row an owner: how many features and services they answer for.",
        "fsync.registry_owners(ref('fsync_registry_features'), ref('fsync_registry_services'))",
        ("owner",),
    ),
    RegistryTable(
        "lineage",
        "One row for each thing that is made of another, from services down to dbt's sources.",
        "fsync.registry_lineage()",
    ),
    RegistryTable(
        "builds",
        "One row for each build of a feature table, kept over full refreshes: the history.",
        "fsync.registry_builds()",
        config="materialized='incremental', full_refresh=false, on_schema_change='append_new_columns'",
    ),
    RegistryTable(
        "versions",
        "One row for each version that a view has had: when it was built, and by which commit first.",
        "fsync.registry_versions(ref('fsync_registry_builds'))",
    ),
)


def model_sql(table: RegistryTable, views: Sequence[View]) -> str:
    """The text of a table's model."""
    # the history is of tables that stand: dbt has to build them first
    after = [f"-- depends_on: {{{{ ref('{view.name}') }}}}" for view in views] if table.name == "builds" else []
    return "\n".join([f"{{{{ config({table.config}) }}}}", *after, "", f"{{{{ {table.query} }}}}", ""])


def properties() -> Mapping[str, Any]:
    """What dbt is told of the tables."""
    return {"models": [_properties(table) for table in TABLES]}


def _properties(table: RegistryTable) -> Mapping[str, Any]:
    told: dict[str, Any] = {"name": f"fsync_registry_{table.name}", "description": table.description}
    if table.key:
        (column,) = table.key
        told["columns"] = [{"name": column, "data_tests": ["unique", "not_null"]}]
    return told
