"""What a feature can say: types, durations, portable scalar expressions and transformations.

This room stands first: it knows no file, no dbt and no engine. It imports nothing here, so that
`fsync.language.types`, which an online reader needs, loads without sqlglot.
"""
