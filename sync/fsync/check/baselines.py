"""`unknown-baseline`: a training set that values are compared with exists, and has the feature."""

from __future__ import annotations

from collections.abc import Iterator

from fsync.language.suggest import did_you_mean
from fsync.spec.catalog import Catalog
from fsync.spec.issue import Issue


def baselines_exist(catalog: Catalog) -> Iterator[Issue]:
    services = {service.name: service for service in catalog.services}
    for feature in catalog.features:
        baseline = None if feature.monitors is None else feature.monitors.drift_baseline
        if baseline is None or baseline.service is None:
            continue
        place = feature.written.document.place((*feature.written.path("monitors"), "drift_baseline"))
        service = services.get(baseline.service)
        if service is None:
            near = did_you_mean(baseline.service, services) or (f"there are: {', '.join(services) or 'none'}",)
            yield Issue("unknown-baseline", f"there is no service {baseline.service!r}", place, near)
        elif feature.name not in service.features:
            message = f"the service {service.name!r} does not read {feature.name!r}"
            yield Issue("unknown-baseline", message, place, ("its training set has the features that it reads",))
        elif service.training_set is None:
            message = f"the service {service.name!r} does not say what it was trained on"
            mend = f"say it in {service.written.place('name').file}: training_set: training/{service.name}.parquet"
            yield Issue("unknown-baseline", message, place, (mend,))
    policy = catalog.policy
    if policy.monitors.drift_baseline.service is not None and policy.written is not None:
        place = policy.written.document.place((*policy.written.path("monitors"), "drift_baseline"))
        message = "a training set has the features of one service, and this is said of every feature"
        yield Issue("unknown-baseline", message, place, ("say it in the specs of features",))
