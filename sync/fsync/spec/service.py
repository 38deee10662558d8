"""A feature service: its form in YAML (`ServiceSpec`) and what it means (`Service`).

    name: churn_model
    owner: growth-ml
    description: Does a customer buy again within 30 days?
    features: [user_30d_purchase_count, user_30d_spend, user_lifetime_spend]

A service is what one model reads: the columns of its training set, and the vector it is served, in one order.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from pydantic import BeforeValidator, Field

from fsync.spec.document import Written
from fsync.spec.feature import Name, Text, not_a_time
from fsync.spec.strict import Strict


class ServiceSpec(Strict):
    """One service as YAML says it."""

    name: Name = Field(
        description="What it is called: lower-case letters, digits and underscores; unique among services.",
        examples=["churn_model"],
    )
    owner: Text = Field(description="Who answers for the model.", examples=["growth-ml"])
    features: Annotated[list[Text], Field(min_length=1)] = Field(
        description="What the model reads: names of features, of any views, each once, in the order of its inputs.",
        examples=[["user_30d_spend", "user_lifetime_spend"]],
        json_schema_extra={"uniqueItems": True},
    )
    description: Text | None = Field(
        default=None, description="What the model is for.", examples=["Does a customer buy again within 30 days?"]
    )
    since: Annotated[date | None, BeforeValidator(not_a_time)] = Field(
        default=None,
        description="The day from which the model has read these features; without it, it is new.",
        examples=["2024-01-31"],
    )
    external: list[Text] | None = Field(
        default=None,
        description="What the model reads from elsewhere, by names of its own.",
        examples=[["weather.temperature"]],
    )
    training_set: Text | None = Field(
        default=None,
        description="What the model was trained on: a dbt model, or a .parquet or .csv file of the project.",
        examples=["churn_training", "training/churn.parquet"],
    )


@dataclass(frozen=True)
class Service:
    """What one spec means: the names of features, in the order of the model's inputs."""

    name: str
    owner: str
    features: tuple[str, ...]
    description: str | None
    #: the day from which the model has read these features; None for one that is new
    since: date | None
    #: what the model reads from elsewhere, by names of its own
    external: tuple[str, ...]
    #: what the model was trained on: the name of a dbt model, or the path of a file of the project
    training_set: str | None
    written: Written
