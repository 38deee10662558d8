"""The online contract: every key and every byte of a value is decided here, for writers and readers alike.

    fs:{42}:user_lifetime:715776b2   →   [[869961600000,[3,"26.55"]],[870048000000,[1,"38.32"]]]
    fs:view:user_lifetime            →   the view's meta, one JSON object

- `keys`: which keys there are, and how an entity is written in them
- `values`: how features are written, and when which of them hold
- `meta`: what a reader has to know of a view, and pushes of each other
- `service`: what a reader has to know of a feature service

A missing key means the empty values of the meta, where the meta is `sparse`. It knows no store, and loads nothing
but a JSON parser outside the standard library.
"""

from __future__ import annotations

from typing import Final

from fsync.wire.keys import (
    PREFIX,
    Key,
    around_entity,
    entity_key,
    entity_parts,
    entity_text,
    lease_key,
    literal_pattern,
    meta_key,
    service_key,
    stored_parts,
    version_key,
    view_patterns,
)
from fsync.wire.meta import (
    VERSION,
    FeatureMeta,
    Holder,
    Meta,
    Pushing,
    decode_holder,
    decode_meta,
    decode_version,
    encode_holder,
    encode_meta,
    encode_pushing,
)
from fsync.wire.service import ServiceFeature, ServiceMeta, decode_service, encode_service
from fsync.wire.values import Conversion, Item, Value, converters, decode, holding, parse, parse_holding, restore

__all__ = [
    "PREFIX",
    "TOLERANCE_MS",
    "VERSION",
    "Conversion",
    "FeatureMeta",
    "Holder",
    "Item",
    "Key",
    "Meta",
    "Pushing",
    "ServiceFeature",
    "ServiceMeta",
    "Value",
    "around_entity",
    "converters",
    "decode",
    "decode_holder",
    "decode_meta",
    "decode_service",
    "decode_version",
    "encode_holder",
    "encode_meta",
    "encode_pushing",
    "encode_service",
    "entity_key",
    "entity_parts",
    "entity_text",
    "holding",
    "lease_key",
    "literal_pattern",
    "meta_key",
    "parse",
    "parse_holding",
    "restore",
    "service_key",
    "stored_parts",
    "version_key",
    "view_patterns",
]

#: How much later than its freshness SLA a value may be before it is stale.
TOLERANCE_MS: Final = 120_000
