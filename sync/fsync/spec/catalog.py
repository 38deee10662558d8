"""The catalog: all that the specs and dbt's YAML say, read once, before anything is checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fsync.spec.feature import Feature
from fsync.spec.issue import Issue
from fsync.spec.load import load_features, load_services
from fsync.spec.model import Model, load_models
from fsync.spec.policy import Policy, load_policy
from fsync.spec.project import Project
from fsync.spec.service import Service
from fsync.spec.source import Source, load_sources


@dataclass(frozen=True, eq=False)
class Catalog:
    """Features and services in reading order; sources by the name a spec uses. Equal to itself alone.

    `models` has the models by hand that features read, and those that these are made of.
    """

    features: tuple[Feature, ...]
    sources: Mapping[str, Source]
    services: tuple[Service, ...] = ()
    models: Mapping[str, Model] = field(default_factory=dict)
    policy: Policy = field(default_factory=Policy)
    #: the names of features whose specs have faults, which are told already
    unread: frozenset[str] = frozenset()

    @property
    def specs(self) -> tuple[Feature | Service, ...]:
        """Features and services: whatever somebody owns."""
        return (*self.features, *self.services)

    def by_view(self) -> Mapping[str, list[Feature]]:
        """The features of each view, in reading order."""
        views: dict[str, list[Feature]] = {}
        for feature in self.features:
            views.setdefault(feature.view, []).append(feature)
        return views


def load_catalog(project: Project) -> tuple[Catalog, tuple[Issue, ...]]:
    """Read the project's specs, sources and policy.

    Returns:
        What could be read, and the faults of what could not.
    """
    features, feature_issues, unread = load_features(project)
    sources, source_issues = load_sources(project)
    services, service_issues = load_services(project)
    policy, policy_issues = load_policy(project)
    models = load_models(project, sorted({feature.source for feature in features}))
    catalog = Catalog(features, sources, services, models, policy, unread)
    return catalog, (*feature_issues, *source_issues, *service_issues, *policy_issues)
