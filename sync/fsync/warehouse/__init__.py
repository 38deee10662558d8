"""The offline tables, read: from dbt's profile to Arrow batches."""
