"""What features read: dbt models, seeds, snapshots and sources, as dbt's own YAML declares them.

Nothing is declared twice: the event time is dbt's `event_time` config, columns and types are dbt's
`columns:`, the unique key is dbt's `unique_key` config, a `unique` data test or a key constraint.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from fsync.language.duration import HOW_TO_WRITE, Duration, parse_duration
from fsync.language.suggest import did_you_mean
from fsync.language.types import SqlType, is_zoned, parse_type
from fsync.spec.document import Document, Path, read
from fsync.spec.issue import Issue, Place
from fsync.spec.project import Project

#: how the first line of every file that fsync writes begins, after the sign of a comment
GENERATED_MARK: Final = "Compiled by fsync from"

#: the classes of values that may not go everywhere
CLASSES: Final = ("pii", "pci")

#: what may stand in a source's `config.meta.fsync`: for fsync, and of a model by hand for the materialization
_SETTINGS: Final = frozenset({"lateness", "entity", "hash", "longest_window_ms", "lateness_ms"})


def is_generated(text: str) -> bool:
    """Whether fsync wrote a file, and may replace or delete it."""
    return text.startswith((f"-- {GENERATED_MARK}", f"# {GENERATED_MARK}", f"{{# {GENERATED_MARK}"))


@dataclass(frozen=True)
class Column:
    """A declared column; `name` is in lower case.

    `type` is None where dbt's YAML gives no `data_type`, or one that has no meaning here.
    """

    name: str
    declared: str | None
    type: SqlType | None
    #: the classes that dbt's YAML says it is of (`meta: {pii: true}`), and those that it says it is not of
    classes: frozenset[str] = frozenset()
    not_classes: frozenset[str] = frozenset()

    @property
    def is_zoned(self) -> bool:
        return self.declared is not None and is_zoned(self.declared)


@dataclass(frozen=True)
class Source:
    """A relation with an event time. `columns` has lower-case keys; `unique_key` may be empty."""

    name: str
    #: what a dbt model writes to read it: ref('orders') or source('shop', 'orders')
    jinja: str
    event_time: str | None
    columns: Mapping[str, Column]
    unique_key: tuple[str, ...]
    #: how late an event usually is at most, from `config.meta.fsync.lateness`; zero where nothing is said
    lateness: Duration | None
    #: whether dbt is told how fresh it has to be (`freshness:`)
    is_watched: bool
    place: Place


def load_sources(project: Project) -> tuple[Mapping[str, Source], tuple[Issue, ...]]:
    """Every source that the project's YAML declares, by the name a spec uses (`orders`, `shop.orders`)."""
    sources: dict[str, Source] = {}
    issues: list[Issue] = []
    for document, faults in documents(project):
        issues += faults
        if document is not None:
            declared = list(_declared(document))
            sources.update((source.name, source) for source in declared if isinstance(source, Source))
            issues += (issue for issue in declared if isinstance(issue, Issue))
    return sources, tuple(dict.fromkeys(issues))  # what is wrong with a source is found at each of its tables


def documents(project: Project) -> Iterator[tuple[Document | None, tuple[Issue, ...]]]:
    """dbt's YAML files that people wrote, in the order of their names: each as `fsync.spec.document.read` gives it."""
    for folder in project.yaml_paths:
        below = project.root / folder
        for path in sorted([*below.rglob("*.yml"), *below.rglob("*.yaml")]):
            try:
                text = path.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError):
                continue  # dbt says so better than we could
            if not is_generated(text):
                yield read(project.relative(path), text)


def _declared(document: Document) -> Iterator[Source | Issue]:
    for kind in ("models", "seeds", "snapshots"):
        for path, node in _named(document.value, kind, ()):
            yield from _source(document, path, node, node["name"], f"ref('{node['name']}')", (), {})
    for above, group in _named(document.value, "sources", ()):
        inherited = ((above, mapping(group.get("config"))),)
        for path, node in _named(group, "tables", above):
            jinja = f"source('{group['name']}', '{node['name']}')"
            yield from _source(document, path, node, f"{group['name']}.{node['name']}", jinja, inherited, group)


def _named(node: Any, key: str, path: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    children = mapping(node).get(key)
    for index, child in enumerate(children if isinstance(children, list) else []):
        if isinstance(child, Mapping) and _is_plain_name(child.get("name")):
            yield (*path, key, index), child


def _is_plain_name(name: object) -> bool:
    """A name that can stand between quotes in Jinja; dbt allows no other for a model."""
    return isinstance(name, str) and name.replace("_", "a").replace("-", "a").isalnum()


#: `config:` mappings, outermost first, each with the place of what it belongs to
_Configs = tuple[tuple[Path, Mapping[str, Any]], ...]


def _source(
    document: Document,
    path: Path,
    node: Mapping[str, Any],
    name: str,
    jinja: str,
    inherited: _Configs,
    above: Mapping[str, Any],
) -> Iterator[Source | Issue]:
    configs = (*inherited, (path, mapping(node.get("config"))))
    config = {key: value for _, given in configs for key, value in given.items()}
    columns = [column for _, column in _named(node, "columns", path)]
    # a column that only a version has is one of the model's too; which version is read, dbt alone knows
    versions = _mappings(node.get("versions"))
    columns += [column for version in versions for _, column in _named(version, "columns", path)]
    metas = [
        mapping(above.get("meta")),
        *(mapping(given.get("meta")) for _, given in configs),
        mapping(node.get("meta")),
    ]
    event_time = config.get("event_time")
    lateness, issues = _lateness(document, configs)
    yield from issues
    yield Source(
        name=name,
        jinja=jinja,
        event_time=event_time if isinstance(event_time, str) else None,
        columns=_columns(columns, metas),
        unique_key=_unique_key(config, node, columns),
        lateness=lateness,
        is_watched=_is_watched(node, config, above),
        place=document.place((*path, "name")),
    )


def _is_watched(*said: Mapping[str, Any]) -> bool:
    """Whether there is a `freshness:`, by the first that says anything: `freshness: null` is none."""
    return next((bool(given["freshness"]) for given in said if "freshness" in given), False)


def _lateness(document: Document, configs: _Configs) -> tuple[Duration | None, list[Issue]]:
    """What `meta.fsync` says, as dbt merges it: the table's own word goes before that of its source."""
    lateness = None
    issues: list[Issue] = []
    for at, config in configs:
        settings = mapping(mapping(config.get("meta")).get("fsync"))
        inside = (*at, "config", "meta", "fsync")
        for key in sorted(map(str, settings.keys() - _SETTINGS)):
            place = document.key_place((*inside, key))
            issues.append(Issue("unknown-key", f"fsync has no setting {key!r}", place, did_you_mean(key, _SETTINGS)))
        if settings.get("lateness") is None:
            continue
        try:
            lateness = parse_duration(str(settings["lateness"]))
        except ValueError as error:
            place = document.place((*inside, "lateness"))
            issues.append(Issue("bad-duration", f"lateness: {error}", place, (HOW_TO_WRITE,)))
    return lateness, issues


def _columns(nodes: Iterable[Mapping[str, Any]], metas: Iterable[Mapping[str, Any]]) -> Mapping[str, Column]:
    """Columns by name. Where one stands twice, the first says its type, and each may say that it is of a class."""
    of_table: dict[str, bool] = {}
    for meta in metas:
        of_table |= _said(meta)
    columns: dict[str, Column] = {}
    for node in nodes:
        column = _column(node, of_table)
        other = columns.get(column.name)
        if other is not None:
            classes = other.classes | column.classes
            column = replace(other, classes=classes, not_classes=other.not_classes - classes)
        columns[column.name] = column
    return columns


def _column(node: Mapping[str, Any], of_table: Mapping[str, bool]) -> Column:
    declared = node.get("data_type")
    text = declared if isinstance(declared, str) else None
    said = {**of_table, **_classes(node)}
    return Column(
        name=str(node["name"]).lower(),
        declared=text,
        type=None if text is None else parse_type(text),
        classes=frozenset(name for name, is_so in said.items() if is_so),
        not_classes=frozenset(name for name, is_so in said.items() if not is_so),
    )


def _classes(node: Mapping[str, Any]) -> Mapping[str, bool]:
    """Of which classes a column is, and of which it is not, as far as its YAML says it."""
    config = mapping(node.get("config"))
    tags = [*_texts(node.get("tags")), *_texts(config.get("tags"))]
    said = {name: True for name in CLASSES if name in tags}
    for meta in (mapping(node.get("meta")), mapping(config.get("meta"))):
        said |= _said(meta)
    return said


def _said(meta: Mapping[str, Any]) -> Mapping[str, bool]:
    """What a `meta` says of classes: `pii: true`, `pci: false`, `classification: [pii]`, there or under its `fsync`.

    A list says nothing of what it does not name, which may be of another scheme than ours; an empty one says no to all.
    """
    said: dict[str, bool] = {}
    for given in (meta, mapping(meta.get("fsync"))):
        if given.get("classification") == []:
            said |= dict.fromkeys(CLASSES, False)
        said |= {name: True for name in CLASSES if name in _texts(given.get("classification"))}
        said |= {name: str(given[name]).lower() not in ("false", "none", "no") for name in CLASSES if name in given}
    return said


def _texts(value: Any) -> list[str]:
    """A text, or each of a list, in lower case."""
    return [str(one).lower() for one in (value if isinstance(value, list) else [value])]


def _unique_key(
    config: Mapping[str, Any], node: Mapping[str, Any], columns: Iterable[Mapping[str, Any]]
) -> tuple[str, ...]:
    given = config.get("unique_key")
    if isinstance(given, str):
        return (given.lower(),)
    if isinstance(given, list) and all(isinstance(name, str) for name in given):
        return tuple(name.lower() for name in given)
    for constraint in _mappings(node.get("constraints")):
        names = constraint.get("columns")
        if constraint.get("type") in ("primary_key", "unique") and isinstance(names, list) and names:
            return tuple(str(name).lower() for name in names)
    for column in columns:
        tests = [*_list(column.get("data_tests")), *_list(column.get("tests"))]
        keys = {str(constraint.get("type")) for constraint in _mappings(column.get("constraints"))}
        if any(test == "unique" or (isinstance(test, Mapping) and "unique" in test) for test in tests) or (
            keys & {"primary_key", "unique"}
        ):
            return (str(column["name"]).lower(),)
    return ()


def mapping(node: Any) -> Mapping[str, Any]:
    """A value of YAML as a mapping; an empty one for anything else."""
    return node if isinstance(node, Mapping) else {}


def _list(node: Any) -> list[Any]:
    return node if isinstance(node, list) else []


def _mappings(node: Any) -> list[Mapping[str, Any]]:
    return [item for item in _list(node) if isinstance(item, Mapping)]
