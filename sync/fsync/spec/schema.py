"""JSON Schema of spec files, for completion and checks in an editor: made of the models that load them.

A schema sees a file as an editor does: dates are texts. It refuses what is wrong in form as far as a schema can know;
what a spec means, `fsync check` knows alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from fsync.spec.feature import HOW_TO_NAME, NAME_PATTERN, FeatureSpec
from fsync.spec.patterns import DATE, HOW_TO_WRITE_DATE, TEXT
from fsync.spec.service import ServiceSpec

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


class _Generator(GenerateJsonSchema):
    """pydantic's, saying what the models do beyond it: texts are stripped, names and dates have one form."""

    def str_schema(self, schema: core_schema.StringSchema) -> JsonSchemaValue:
        made = super().str_schema(schema)
        if schema.get("strip_whitespace"):
            made.pop("minLength", None)
            made |= {"pattern": TEXT, "patternErrorMessage": "this is empty"}
        if made.get("pattern") == NAME_PATTERN:
            made["patternErrorMessage"] = HOW_TO_NAME
        return made

    def date_schema(self, schema: core_schema.DateSchema) -> JsonSchemaValue:
        return {**super().date_schema(schema), "pattern": DATE, "patternErrorMessage": HOW_TO_WRITE_DATE}

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        # one type rather than a choice of two, of which an editor would tell both
        inner = self.generate_inner(schema["schema"])
        kind = inner.get("type")
        return {**inner, "type": [kind, "null"]} if isinstance(kind, str) else super().nullable_schema(schema)

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        made = super().default_schema(schema)
        return {key: value for key, value in made.items() if key != "default" or value is not None}

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False  # a key is its own title


def feature_schema() -> Mapping[str, Any]:
    """The JSON Schema (draft 2020-12) of a file in `feature_specs/`: one feature, or `defaults:` and `features:`."""
    keys, parts = _form(FeatureSpec)
    required = keys.pop("required")
    defaults = {
        "description": "What the features of this file share: each key that one of them does not say itself.",
        "anyOf": [_ref("feature"), {"type": "null"}],
    }
    features = {
        "description": "The features of this file.",
        "type": "array",
        "minItems": 1,
        "items": _ref("feature"),
    }
    several = {
        "properties": {"defaults": _ref("defaults"), "features": _ref("features")},
        "required": ["features"],
        "additionalProperties": False,
        "allOf": [_by_defaults_or_by_each(key) for key in required],
    }
    return {
        "$schema": _DIALECT,
        "title": "Feature spec",
        "description": "One feature; or several, as `features`, that share their `defaults`.",
        "type": "object",
        # said here too, so that an editor offers them in a file that is neither yet
        "properties": several["properties"],
        "if": {"anyOf": [{"required": ["defaults"]}, {"required": ["features"]}]},
        "then": _ref("several"),
        "else": {**_ref("feature"), "required": required},
        "$defs": {"several": several, "defaults": defaults, "features": features, "feature": keys, **parts},
    }


def service_schema() -> Mapping[str, Any]:
    """The JSON Schema (draft 2020-12) of a file in `feature_specs/services/`: one service."""
    keys, parts = _form(ServiceSpec)
    text = "What one model reads: the columns of its training set and of its vector online."
    head = {"$schema": _DIALECT, "title": "Service spec", "description": text}
    return {**head, **keys, **({"$defs": parts} if parts else {})}


def _form(model: type[BaseModel]) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """The schema of a model's keys, and those of the mappings in it, by name."""
    made = model.model_json_schema(schema_generator=_Generator)
    parts: dict[str, dict[str, Any]] = made.pop("$defs", {})
    for part in (made, *parts.values()):
        del part["title"]
    del made["description"]
    return made, parts


def _by_defaults_or_by_each(key: str) -> Mapping[str, Any]:
    given = {"properties": {"defaults": {"type": "object", "required": [key]}}, "required": ["defaults"]}
    return {"if": given, "else": {"properties": {"features": {"items": {"required": [key]}}}}}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{name}"}
