"""The form of what people write in YAML: a model that says no to what it does not know, and converts nothing."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """A form that says no to what it does not know, and converts nothing."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
