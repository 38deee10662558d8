-- Compiled by fsync from the specs in feature_specs/: change those, then run `fsync compile`.
{{ config(materialized='table') }}

{{ fsync.registry_lineage() }}
