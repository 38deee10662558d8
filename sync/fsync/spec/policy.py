"""What a project asks of its features: `vars: {fsync: …}` in its `dbt_project.yml`.

vars:
  fsync:
    owners: [growth-ml, "team-*"]               # who may own; without the list, anybody
    name_template: "<entity>_<window>_<what>"
    checks: {missing-description: error, feature-name: "off"}
    access:
      roles:
        crm: {views: [user_lifetime], classes: [pii]}
      stores:
        "redis://*": [pii]                      # first match; a store that none matches holds no class
    monitors: {null_ratio: 10%, drift: "off"}   # what is watched where a spec says nothing: fsync.spec.monitors
    as_of: "1998-07-01"                         # of data that ends: when it is looked at, instead of now
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatchcase
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError

from fsync.instant import to_milliseconds
from fsync.root import PROJECT_FILE
from fsync.spec.document import Written, read
from fsync.spec.feature import Classification, Feature, Text
from fsync.spec.form import Form, faults_of_form
from fsync.spec.issue import Issue
from fsync.spec.monitors import Monitors, MonitorsSpec
from fsync.spec.project import Project
from fsync.spec.strict import Strict

#: how grave it is that a governance check finds something; `off` is not looked for
Weight = Literal["error", "warning", "off"]

#: what a name template is made of, beside letters, digits and underscores
PARTS: Final = ("<entity>", "<window>", "<what>")
DEFAULT_TEMPLATE: Final = "<entity>_<window>_<what>"


def _weight(given: object) -> object:
    # YAML reads an unquoted off as false
    return "off" if given is False else given


def _template(text: str) -> str:
    rest = text
    for part in PARTS:
        rest = rest.replace(part, "", 1)
    if "<what>" not in text or not all(letter.isalnum() or letter == "_" for letter in rest):
        raise ValueError(f"a template is made of {', '.join(PARTS)} and letters, with <what> in it")
    return text


def _instant(value: object) -> object:
    # YAML reads 19980701 as a number; dbt's tests read it as a text again
    return value if value is None else to_milliseconds(value if isinstance(value, date) else str(value))


class RoleSpec(Strict):
    """Who reads: the views that they may read, and the classes of values that may be in them."""

    views: list[Text] = Field(default_factory=lambda: ["*"])
    classes: list[Classification] = Field(default_factory=list)


class AccessSpec(Strict):
    """Which roles may read what, and which stores may hold it."""

    roles: dict[Text, RoleSpec] = Field(default_factory=dict)
    stores: dict[Text, list[Classification]] | None = None


class PolicySpec(Strict):
    """`vars.fsync` as YAML says it."""

    owners: list[Text] | None = None
    name_template: Annotated[str, AfterValidator(_template)] = DEFAULT_TEMPLATE
    checks: dict[str, Annotated[Weight, Field(json_schema_extra={"type": "string"})]] = Field(default_factory=dict)
    access: AccessSpec | None = None
    monitors: MonitorsSpec | None = None
    as_of: Annotated[int | None, BeforeValidator(_instant)] = None


_FORM: Final = Form(
    noun="policy",
    keys=tuple(PolicySpec.model_fields),
    inner_keys=("roles", "stores", "views", "classes", *MonitorsSpec.model_fields),
    expected={
        "owners": "a list of names or patterns",
        "checks": "a mapping of checks to error, warning or off",
        "monitors": "a mapping of monitors to their thresholds, each of which can be off",
        "severity": "one of: warn, error",
        "access": "a mapping with roles and stores; classes are a list of: pii, pci",
    },
    examples={},
)


@dataclass(frozen=True)
class Role:
    """Who reads. `views` are names or patterns with `*`; a view is readable if all of its classes are in `classes`."""

    name: str
    views: tuple[str, ...] = ("*",)
    classes: frozenset[str] = frozenset()

    def reads(self, view: str, classes: frozenset[str]) -> bool:
        """Whether it may read a view with values of these classes."""
        return classes <= self.classes and any(fnmatchcase(view, pattern) for pattern in self.views)


@dataclass(frozen=True)
class Access:
    """Roles in the order of the file. `stores` are (pattern, classes): None where nothing is said of stores."""

    roles: tuple[Role, ...] = ()
    stores: tuple[tuple[str, frozenset[str]], ...] | None = None

    def allowed_in(self, store: str) -> frozenset[str] | None:
        """The classes that a store may hold, by its URL without a password; None for all of them."""
        if self.stores is None:
            return None
        return next((classes for pattern, classes in self.stores if fnmatchcase(store, pattern)), frozenset())


@dataclass(frozen=True)
class Policy:
    """What a project asks of its features. `owners` None is anybody."""

    owners: tuple[str, ...] | None = None
    name_template: str = DEFAULT_TEMPLATE
    #: a governance check's code → what it weighs here
    weights: Mapping[str, Weight] = field(default_factory=dict)
    access: Access = field(default_factory=Access)
    #: what is watched of a feature whose spec says nothing of it
    monitors: Monitors = field(default_factory=Monitors)
    #: the instant at which data that ends is looked at, in epoch milliseconds; None for now
    as_of: int | None = None
    #: where it stands; None where the project says nothing
    written: Written | None = None

    def monitors_of(self, feature: Feature) -> Monitors:
        """What is watched of a feature: what its spec says, over what the project says."""
        return self.monitors if feature.monitors is None else feature.monitors.over(self.monitors)


def load_policy(project: Project) -> tuple[Policy, tuple[Issue, ...]]:
    """The project's `vars.fsync`, and the faults of its form."""
    text = (project.root / PROJECT_FILE).read_text(encoding="utf-8")
    document, _ = read(PROJECT_FILE, text)  # that it can be read is known since the project was opened
    given = _settings(None if document is None else document.value)
    if document is None or given is None:
        return Policy(), ()
    written = Written(document, ("vars", "fsync"), {})
    if not isinstance(given, Mapping):
        place = document.place(("vars", "fsync"))
        return Policy(), (Issue("wrong-type", "vars.fsync is a mapping of settings", place),)
    checks = given.get("checks")
    if isinstance(checks, Mapping):
        given = {**given, "checks": {key: _weight(value) for key, value in checks.items()}}
    try:
        spec = PolicySpec.model_validate(given)
    except ValidationError as error:
        return Policy(written=written), tuple(faults_of_form(error, given, written, _FORM))
    return (
        Policy(
            owners=None if spec.owners is None else tuple(spec.owners),
            name_template=spec.name_template,
            weights=spec.checks,
            access=Access() if spec.access is None else _access(spec.access),
            monitors=Monitors() if spec.monitors is None else spec.monitors.over(Monitors()),
            as_of=spec.as_of,
            written=written,
        ),
        (),
    )


def _settings(value: Any) -> Any:
    variables = value.get("vars") if isinstance(value, Mapping) else None
    return variables.get("fsync") if isinstance(variables, Mapping) else None


def _access(spec: AccessSpec) -> Access:
    return Access(
        roles=tuple(Role(name, tuple(role.views), frozenset[str](role.classes)) for name, role in spec.roles.items()),
        stores=None
        if spec.stores is None
        else tuple((pattern, frozenset[str](classes)) for pattern, classes in spec.stores.items()),
    )
