"""Models that read features without a service: exposures of type `ml` that somebody wrote in dbt's YAML.

exposures:
  - name: fraud_model
    type: ml
    config: {meta: {fsync: {features: [user_30d_spend], external: [device_score]}}}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fsync.spec.project import Project
from fsync.spec.source import documents, mapping


@dataclass(frozen=True)
class Exposure:
    """A model, as dbt's YAML tells of it: the features that it reads from here, and what it reads from elsewhere.

    `is_told` is whether it says either.
    """

    name: str
    owner: str
    features: tuple[str, ...]
    external: tuple[str, ...]
    is_told: bool


def load_exposures(project: Project) -> tuple[Exposure, ...]:
    """The exposures of type ml by hand, in the order of their names. What cannot be read is dbt's to tell."""
    found: dict[str, Exposure] = {}
    for document, _ in documents(project):
        found |= {one.name: one for one in _declared(None if document is None else document.value)}
    return tuple(found[name] for name in sorted(found))


def _declared(value: Any) -> Iterator[Exposure]:
    exposures = mapping(value).get("exposures")
    for given in exposures if isinstance(exposures, list) else ():
        if not isinstance(given, Mapping) or given.get("type") != "ml" or not isinstance(given.get("name"), str):
            continue
        config = mapping(given.get("config"))
        said = {
            **mapping(mapping(given.get("meta")).get("fsync")),
            **mapping(mapping(config.get("meta")).get("fsync")),
        }
        yield Exposure(
            name=given["name"],
            owner=str(mapping(given.get("owner")).get("name") or ""),
            features=_texts(said.get("features")),
            external=_texts(said.get("external")),
            is_told=bool(said.keys() & {"features", "external"}),
        )


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()
