"""What dbt is told of models and services beside their SQL: its properties files, as YAML."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import yaml

from fsync.data_tests import monitors_of
from fsync.lineage.reading import columns_of_feature
from fsync.plan import Planned, PlannedService, View
from fsync.registry import catalogue, tables
from fsync.sql import jinja
from fsync.sql.empty import empty_values
from fsync.sql.macros import macro_docs


def view_properties(view: View, services: Sequence[PlannedService] = ()) -> str:
    """Contract, data tests and `config.meta` of a view's model, of which `services` may read features."""
    return to_yaml({"models": [_properties(view, services)]})


def exposure(service: PlannedService) -> str:
    """A service as dbt knows what reads its models: an exposure of type `ml`."""
    described = service.description or f"The model that reads the features of {service.name}."
    return to_yaml(
        {
            "exposures": [
                {
                    "name": service.name,
                    "type": "ml",
                    "description": described,
                    "owner": {"name": service.owner},
                    "depends_on": [f"ref('{view.name}')" for view in service.views],
                    "config": {
                        "meta": {"fsync": _service_meta(service), "feature_store": catalogue.of_service(service)}
                    },
                }
            ]
        }
    )


def _service_meta(service: PlannedService) -> dict[str, Any]:
    meta: dict[str, Any] = {"features": list(service.features)}
    if service.since is not None:
        meta["since"] = service.since.isoformat()
    if service.external:
        meta["external"] = list(service.external)
    return meta


def registry_properties() -> str:
    """What the registry's tables are."""
    return to_yaml(tables.properties())


def macro_properties() -> str:
    """What the macros of transformations are for, argument by argument."""
    return to_yaml({"macros": macro_docs()})


def _properties(view: View, services: Sequence[PlannedService]) -> dict[str, Any]:
    keys = [column.name for column in view.entity]
    empties = dict(zip((planned.name for planned in view.features), empty_values(view), strict=True))
    return {
        "name": view.name,
        "description": (
            f"Features of {', '.join(keys)} from {view.source.name}, one row for each change: "
            "as of t, the row with valid_from < t <= valid_to holds."
        ),
        "config": {
            "contract": {"enforced": True},
            "persist_docs": {"columns": True},
            "meta": {"fsync": _meta(view, keys), "feature_store": catalogue.of_view(view)},
        },
        "data_tests": [{"fsync.validity_table": {"arguments": {"entity": keys}}}, *monitors_of(view, services)],
        "columns": [
            *(
                _column(column.name, str(column.type), "The entity, or a part of it.", not_null=True)
                for column in view.entity
            ),
            _column("valid_from", "timestamp", "The values hold after this instant (UTC)."),
            _column("valid_to", "timestamp", "The last instant at which the values hold (UTC)."),
            *(_feature(planned, empties[planned.name], services) for planned in view.features),
        ],
    }


def _meta(view: View, keys: list[str]) -> dict[str, Any]:
    """What the materialization of the model and other programs need to know."""
    meta: dict[str, Any] = {"hash": view.hash, "entity": keys, "source": view.source.name}
    if view.classes:
        meta["classification"] = sorted(view.classes)
    if view.every is not None:
        meta["every"] = str(view.every)
    # how much of an entity's history a change needs: without a longest window, all of it
    if not view.needs_lifetime:
        meta["longest_window_ms"] = view.windows[-1].milliseconds if view.windows else 0
    if view.source.lateness is not None:
        meta["lateness_ms"] = view.source.lateness.milliseconds
    return meta


def _column(name: str, kind: str, description: str, *, not_null: bool = False) -> dict[str, Any]:
    column: dict[str, Any] = {"name": name, "data_type": kind, "description": description}
    if not_null:
        column["data_tests"] = ["not_null"]
    return column


def _feature(planned: Planned, empty: object, services: Sequence[PlannedService]) -> dict[str, Any]:
    column = _column(
        planned.name, str(planned.type), planned.feature.description or f"{planned.feature.definition}.", not_null=False
    )
    shown = empty if isinstance(empty, bool | int | None) else str(empty)
    column["config"] = {
        "meta": {
            "fsync": _feature_meta(planned, shown),
            "feature_store": catalogue.of_feature(planned, shown, services),
        }
    }
    if planned.is_never_null:
        column["data_tests"] = ["not_null"]
    return column


def _feature_meta(planned: Planned, empty: object) -> dict[str, Any]:
    """What a spec says of its feature, and what is known of it besides."""
    feature = planned.feature
    meta: dict[str, Any] = {"transformation": feature.definition, "version": planned.version}
    if feature.condition is not None:
        meta["where"] = feature.condition
    if feature.ttl is not None:
        meta["ttl"] = str(feature.ttl)
    if feature.scale is not None:
        meta["scale"] = feature.scale
    meta["empty"] = empty
    meta["owner"] = feature.owner
    if feature.freshness is not None:
        meta["freshness"] = str(feature.freshness)
    if feature.availability is not None:
        meta["availability"] = feature.availability
    if feature.classification:
        meta["classification"] = list(feature.classification)
    if feature.tags:
        meta["tags"] = list(feature.tags)
    if feature.backfill is not None:
        meta["backfill"] = {"from": feature.backfill.from_.isoformat(), "note": feature.backfill.note}
    if feature.declassify is not None:
        meta["declassify"] = {"classes": feature.declassify.classes, "note": feature.declassify.note}
    if feature.deprecated is not None:
        meta["deprecated"] = {"since": feature.deprecated.since.isoformat(), "note": feature.deprecated.note}
        if feature.deprecated.use is not None:
            meta["deprecated"]["use"] = feature.deprecated.use
    # each with whether its value can be seen in that of the feature
    meta["derived_from" if feature.call is None else "reads"] = dict(sorted(columns_of_feature(feature).items()))
    return meta


def to_yaml(value: Mapping[str, Any]) -> str:
    """A mapping as YAML that dbt reads, with every text as it is: what looks like Jinja is no Jinja."""
    # through JSON, so that no YAML alias appears where one object stands twice
    written = json.dumps(_escaped(value))
    # libyaml is ten times as fast, but folds and quotes in its own way what is not printable ASCII; keys are ours
    dumper = _QUICK if written.isprintable() and not _NOT_PLAIN.search(written) else yaml.SafeDumper
    text: str = yaml.dump(json.loads(written), Dumper=dumper, sort_keys=False, allow_unicode=True, width=100)
    return text


_QUICK: Final = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # PyYAML may have been built without libyaml
#: an escape of JSON's for something else than a quote or a backslash
_NOT_PLAIN: Final = re.compile(r'\\[^"\\]')


def _escaped(value: object) -> object:
    """The same value with every text safe to be read as Jinja, as dbt reads its YAML."""
    if isinstance(value, str):
        return jinja.escape_whole(value)
    if isinstance(value, dict):
        return {key: _escaped(item) for key, item in value.items()}
    return [_escaped(item) for item in value] if isinstance(value, list) else value
