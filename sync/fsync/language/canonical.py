"""The canonical form of an expression, by which hashes and duplicates are told."""

from __future__ import annotations

import json

from sqlglot import exp


def canonical(node: exp.Expr | None) -> str:
    """What an expression means, without how it is written: case, spaces, comments and brackets are gone."""
    if node is None:
        return ""
    if isinstance(node, exp.Paren):
        return canonical(node.this)
    if isinstance(node, exp.Column):
        return f"column:{node.name.lower()}"
    if isinstance(node, exp.Literal):
        return json.dumps(node.name) if node.is_string else f"number:{node.name}"
    if isinstance(node, exp.DataType):
        return node.sql("duckdb")
    parts = []
    for key, value in sorted(node.args.items()):
        for item in value if isinstance(value, list) else [value]:
            if item is not None and item is not False:
                parts.append(f"{key}={canonical(item) if isinstance(item, exp.Expr) else item}")
    return f"{node.key}({','.join(parts)})"
