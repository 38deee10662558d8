-- Compiled by fsync from the specs in feature_specs/: change those, then run `fsync compile`.
{{ config(materialized='incremental', full_refresh=false, on_schema_change='append_new_columns') }}
-- depends_on: {{ ref('user_id__orders_stream') }}
-- depends_on: {{ ref('user_lifetime') }}

{{ fsync.registry_builds() }}
