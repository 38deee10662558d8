"""Plan to SQL: logical sqlglot trees, lowered per engine, printed last."""
