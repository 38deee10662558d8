-- Compiled by fsync from the specs in feature_specs/: change those, then run `fsync compile`.
--
-- One row for each change of (user_id): as of t, the row with valid_from < t <= valid_to holds.
--
--     orders_squared_7d  window_sum(order_id * order_id, 7d)
--     spend_12h          window_sum(amount, 12h)
--     spend_7d           window_sum(amount, 7d)
--     spend_ever         lifetime_sum(amount)
{{ config(materialized='validity_table') }}

WITH events AS (
  /* what the features read of each event */
  SELECT
    source.user_id AS user_id,
    CASE
      WHEN source.paid_at BETWEEN CAST('0001-01-01' AS TIMESTAMP) AND CAST('9799-12-31' AS TIMESTAMP)
      THEN DATE_TRUNC('MILLISECOND', source.paid_at)
    END AS event_at,
    CAST(source.amount AS DECIMAL(10, 2)) AS amount,
    CAST(source.order_id * source.order_id AS BIGINT) AS input_orders_squared_7d
  FROM {{ source('sum', 'events') }} AS source
), history AS (
  /* events without user_id or a time are left out; an incremental build needs only some of the rest */
  SELECT
    user_id,
    event_at,
    amount,
    input_orders_squared_7d
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
    input_orders_squared_7d AS moved_input_orders_squared_7d
  FROM history
  UNION ALL
  /* and leaves the window of 12h at its end */
  SELECT
    user_id,
    EPOCH_MS(event_at) + 43200000,
    1,
    NULL,
    amount,
    input_orders_squared_7d
  FROM history
  UNION ALL
  /* and leaves the window of 7d at its end */
  SELECT
    user_id,
    EPOCH_MS(event_at) + 604800000,
    2,
    NULL,
    amount,
    input_orders_squared_7d
  FROM history
), windowed AS (
  /* the value of every feature just after each change */
  SELECT
    user_id,
    MAKE_TIMESTAMP_MS(changed_at) AS valid_from,
    MAKE_TIMESTAMP_MS(LEAD(changed_at, 1, 253402214400000) OVER timeline) AS valid_to,
    CAST({{ fsync.window_sum('moved_input_orders_squared_7d', '7d', leaves=2) }} AS DECIMAL(38, 0)) AS orders_squared_7d,
    CAST({{ fsync.window_sum('moved_amount', '12h', leaves=1) }} AS DECIMAL(38, 2)) AS spend_12h,
    CAST({{ fsync.window_sum('moved_amount', '7d', leaves=2) }} AS DECIMAL(38, 2)) AS spend_7d,
    CAST({{ fsync.lifetime_sum('amount') }} AS DECIMAL(38, 2)) AS spend_ever
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
  orders_squared_7d,
  spend_12h,
  spend_7d,
  spend_ever
FROM windowed
WHERE
  valid_from < valid_to
