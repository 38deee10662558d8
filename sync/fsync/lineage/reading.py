"""What one feature reads."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from fsync.lineage.shown import parts_shown
from fsync.spec.feature import Feature


def columns_of_feature(feature: Feature) -> Mapping[str, bool]:
    """The columns of its source, or for a derived feature the features, that a feature reads.

    Each with whether its value can be seen in that of the feature: not where it is counted or only chosen by.
    """
    found: dict[str, bool] = {}
    if feature.where is not None:
        found |= {column.name.lower(): False for column in feature.where.node.find_all(exp.Column)}
    call = feature.call
    node = feature.expression.node if call is None else call.column
    can_show = call is None or call.transformation.exposes
    for part, shown in parts_shown(node) if node is not None else ():
        name = part.name.lower()
        found[name] = found.get(name, False) or (shown and can_show)
    return found
