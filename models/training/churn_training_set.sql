-- What churn_model learns from: each label with what was known of its customer then.
{{ config(materialized='table') }}

{{ fsync.point_in_time(labels=ref('churn_labels'), service='churn_model', timestamp='label_at') }}
