"""`unclassed-exposure`: a feature that shows values of a class is of that class, or says why it is not."""

from __future__ import annotations

from collections.abc import Iterator

from fsync.lineage.features import exposures_of, upstream_of
from fsync.spec.catalog import Catalog
from fsync.spec.feature import Feature
from fsync.spec.issue import Issue


def exposures_are_classed(catalog: Catalog) -> Iterator[Issue]:
    exposures = exposures_of(catalog)
    for feature in catalog.features:
        shown = exposures[feature.name]
        for name in sorted(shown.keys() - set(feature.classification) - feature.declassified):
            yield Issue(
                "unclassed-exposure",
                f"{feature.name!r} shows values of class {name}, and is not classed so",
                feature.written.place("transformation"),
                (_made_of(shown[name], name, catalog), *_guesses(shown[name], catalog), _mend(feature, name)),
            )
        for name in sorted(feature.declassified - shown.keys()):
            message = f"{feature.name!r} shows no values of class {name}: there is nothing to declassify"
            yield Issue("wrong-arguments", message, feature.written.place("declassify"), ("leave it away",))


def _made_of(way: tuple[str, ...], name: str, catalog: Catalog) -> str:
    table = way[-1].rpartition(".")[0]
    declared = f"{catalog.sources[table].place.file} declares {name}" if table in catalog.sources else f"is {name}"
    return f"it shows {', made of '.join(way)}, which {declared}"


def _guesses(way: tuple[str, ...], catalog: Catalog) -> Iterator[str]:
    """What is not known for sure on the way, since a model cannot be read without dbt."""
    for step in way:
        table, _, column = step.rpartition(".")
        if upstream_of(catalog).is_opaque(table):
            yield (
                f"the SQL of {table} cannot be read without dbt, so that its columns may be made of all that it reads: "
                f"if {column} is not, say `meta: {{pii: false}}` of it in dbt's YAML"
            )


def _mend(feature: Feature, name: str) -> str:
    classes = ", ".join(sorted({*feature.classification, name}))
    say = "pii: true" if classes == "pii" else f"classification: [{classes}]"
    return f"say `{say}`; or, if the value gives nothing away, `declassify: {{classes: [{name}], note: why}}`"
