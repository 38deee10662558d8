-- Compiled by fsync from the specs in feature_specs/: change those, then run `fsync compile`.
--
-- One row for each change of (user_id): as of t, the row with valid_from < t <= valid_to holds.
--
--     user_180d_large_order_count  window_count(180d) where amount >= 50
--     user_30d_avg_spend           user_30d_spend / nullif(user_30d_purchase_count, 0)
--     user_30d_purchase_count      window_count(30d)
--     user_30d_spend               window_sum(amount, 30d)
--     user_365d_max_order          window_max(amount, 365d), default 0
--     user_365d_min_order          window_min(amount, 365d)
--     user_7d_spend                window_sum(amount, 7d)
--     user_90d_avg_order_value     window_avg(amount, 90d) where amount > 0
{{ config(materialized='validity_table') }}

WITH events AS (
  /* what the features read of each event */
  SELECT
    source.user_id AS user_id,
    CASE
      WHEN source.ordered_at BETWEEN CAST('0001-01-01' AS TIMESTAMP) AND CAST('9799-12-31' AS TIMESTAMP)
      THEN DATE_TRUNC('MILLISECOND', source.ordered_at)
    END AS event_at,
    CAST(source.amount AS DECIMAL(10, 2)) AS amount,
    CASE WHEN source.amount >= 50 THEN 1 END AS input_user_180d_large_order_count,
    CASE WHEN source.amount > 0 THEN CAST(source.amount AS DECIMAL(10, 2)) END AS input_user_90d_avg_order_value
  FROM {{ ref('orders_stream') }} AS source
), history AS (
  /* events without user_id or a time are left out; an incremental build needs only some of the rest */
  SELECT
    user_id,
    event_at,
    amount,
    input_user_180d_large_order_count,
    input_user_90d_avg_order_value
  FROM events
  WHERE
    NOT user_id IS NULL AND NOT event_at IS NULL AND {{ fsync.is_changed() }}
), changes AS (
  /* an event enters at its instant, in milliseconds since 1970 */
  SELECT
    user_id,
    EPOCH_MS(event_at) AS changed_at,
    0 AS leaves,
    amount,
    amount AS moved_amount,
    input_user_180d_large_order_count AS moved_input_user_180d_large_order_count,
    input_user_90d_avg_order_value AS moved_input_user_90d_avg_order_value
  FROM history
  UNION ALL
  /* and leaves the window of 7d at its end */
  SELECT
    user_id,
    EPOCH_MS(event_at) + 604800000,
    1,
    NULL,
    amount,
    input_user_180d_large_order_count,
    input_user_90d_avg_order_value
  FROM history
  UNION ALL
  /* and leaves the window of 30d at its end */
  SELECT
    user_id,
    EPOCH_MS(event_at) + 2592000000,
    2,
    NULL,
    amount,
    input_user_180d_large_order_count,
    input_user_90d_avg_order_value
  FROM history
  UNION ALL
  /* and leaves the window of 90d at its end */
  SELECT
    user_id,
    EPOCH_MS(event_at) + 7776000000,
    3,
    NULL,
    amount,
    input_user_180d_large_order_count,
    input_user_90d_avg_order_value
  FROM history
  UNION ALL
  /* and leaves the window of 180d at its end */
  SELECT
    user_id,
    EPOCH_MS(event_at) + 15552000000,
    4,
    NULL,
    amount,
    input_user_180d_large_order_count,
    input_user_90d_avg_order_value
  FROM history
  UNION ALL
  /* and leaves the window of 365d at its end */
  SELECT
    user_id,
    EPOCH_MS(event_at) + 31536000000,
    5,
    NULL,
    amount,
    input_user_180d_large_order_count,
    input_user_90d_avg_order_value
  FROM history
), windowed AS (
  /* the value of every feature just after each change */
  SELECT
    user_id,
    MAKE_TIMESTAMP_MS(changed_at) AS valid_from,
    MAKE_TIMESTAMP_MS(LEAD(changed_at, 1, 253402214400000) OVER timeline) AS valid_to,
    CAST({{ fsync.window_count('moved_input_user_180d_large_order_count', '180d', leaves=4) }} AS BIGINT) AS user_180d_large_order_count,
    CAST({{ fsync.window_count('1', '30d', leaves=2) }} AS BIGINT) AS user_30d_purchase_count,
    CAST({{ fsync.window_sum('moved_amount', '30d', leaves=2) }} AS DECIMAL(38, 2)) AS user_30d_spend,
    CAST(COALESCE({{ fsync.window_max('amount', '365d') }}, 0) AS DECIMAL(10, 2)) AS user_365d_max_order,
    CAST({{ fsync.window_min('amount', '365d') }} AS DECIMAL(10, 2)) AS user_365d_min_order,
    CAST({{ fsync.window_sum('moved_amount', '7d', leaves=1) }} AS DECIMAL(38, 2)) AS user_7d_spend,
    CAST({{ fsync.window_avg('moved_input_user_90d_avg_order_value', '90d', leaves=3) }} AS DOUBLE) AS user_90d_avg_order_value
  FROM changes
  WINDOW timeline AS (
    PARTITION BY user_id
    ORDER BY changed_at
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  ), last_365d AS (
    PARTITION BY user_id
    ORDER BY changed_at
    RANGE BETWEEN 31535999999 PRECEDING AND CURRENT ROW
  )
)
/* rows of one instant end where they begin, but for the last of them, which has seen all */
SELECT
  user_id,
  valid_from,
  valid_to,
  user_180d_large_order_count,
  CAST(user_30d_spend / NULLIF(user_30d_purchase_count, 0) AS DOUBLE) AS user_30d_avg_spend,
  user_30d_purchase_count,
  user_30d_spend,
  user_365d_max_order,
  user_365d_min_order,
  user_7d_spend,
  user_90d_avg_order_value
FROM windowed
WHERE
  valid_from < valid_to
