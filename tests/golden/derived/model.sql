-- Compiled by fsync from the specs in feature_specs/: change those, then run `fsync compile`.
--
-- One row for each change of (user_id): as of t, the row with valid_from < t <= valid_to holds.
--
--     all_spend      lifetime_sum(amount)
--     is_active      week_orders > 0 and mean_order_7d > 1
--     mean_order_7d  week_spend / week_orders
--     segment        case when share_7d >= 0.5 then 'hot' when all_spend > 0 then 'warm' else 'cold' end
--     share_7d       week_spend / nullif(all_spend, 0), default 0
--     week_orders    window_count(7d)
--     week_spend     window_sum(amount, 7d)
{{ config(materialized='validity_table') }}

WITH events AS (
  /* what the features read of each event */
  SELECT
    source.user_id AS user_id,
    CASE
      WHEN source.paid_at BETWEEN CAST('0001-01-01' AS TIMESTAMP) AND CAST('9799-12-31' AS TIMESTAMP)
      THEN DATE_TRUNC('MILLISECOND', source.paid_at)
    END AS event_at,
    CAST(source.amount AS DECIMAL(10, 2)) AS amount
  FROM {{ source('derived', 'events') }} AS source
), history AS (
  /* events without user_id or a time are left out; an incremental build needs only some of the rest */
  SELECT
    user_id,
    event_at,
    amount
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
    amount AS moved_amount
  FROM history
  UNION ALL
  /* and leaves the window of 7d at its end */
  SELECT
    user_id,
    EPOCH_MS(event_at) + 604800000,
    1,
    NULL,
    amount
  FROM history
), windowed AS (
  /* the value of every feature just after each change */
  SELECT
    user_id,
    MAKE_TIMESTAMP_MS(changed_at) AS valid_from,
    MAKE_TIMESTAMP_MS(LEAD(changed_at, 1, 253402214400000) OVER timeline) AS valid_to,
    CAST({{ fsync.lifetime_sum('amount') }} AS DECIMAL(38, 2)) AS all_spend,
    CAST({{ fsync.window_count('1', '7d', leaves=1) }} AS BIGINT) AS week_orders,
    CAST({{ fsync.window_sum('moved_amount', '7d', leaves=1) }} AS DECIMAL(38, 2)) AS week_spend
  FROM changes
  WINDOW timeline AS (
    PARTITION BY user_id
    ORDER BY changed_at
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  ), lifetime AS (
    PARTITION BY user_id
    ORDER BY changed_at
    RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  )
)
/* rows of one instant end where they begin, but for the last of them, which has seen all */
SELECT
  user_id,
  valid_from,
  valid_to,
  all_spend,
  CAST(week_orders > 0 AND (
    week_spend / NULLIF(week_orders, 0)
  ) > 1 AS BOOLEAN) AS is_active,
  CAST(week_spend / NULLIF(week_orders, 0) AS DOUBLE) AS mean_order_7d,
  CAST(CASE
    WHEN COALESCE((
      week_spend / NULLIF(all_spend, 0)
    ), 0.0) >= 0.5
    THEN 'hot'
    WHEN all_spend > 0
    THEN 'warm'
    ELSE 'cold'
  END AS TEXT) AS segment,
  CAST(COALESCE(week_spend / NULLIF(all_spend, 0), 0.0) AS DOUBLE) AS share_7d,
  week_orders,
  week_spend
FROM windowed
WHERE
  valid_from < valid_to
