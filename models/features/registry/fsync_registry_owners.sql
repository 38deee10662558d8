-- Compiled by fsync from the specs in feature_specs/: change those, then run `fsync compile`.
{{ config(materialized='table') }}

{{ fsync.registry_owners(ref('fsync_registry_features'), ref('fsync_registry_services')) }}
