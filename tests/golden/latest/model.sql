-- Compiled by fsync from the specs in feature_specs/: change those, then run `fsync compile`.
--
-- One row for each change of (user_id): as of t, the row with valid_from < t <= valid_to holds.
--
--     last_amount     latest(amount)
--     last_big_order  latest(order_id) where amount > 5
--     last_order      latest(order_id)
--     recent_orders   window_count(7d)
{{ config(materialized='validity_table') }}

WITH events AS (
  /* what the features read of each event */
  SELECT
    source.user_id AS user_id,
    CASE
      WHEN source.paid_at BETWEEN CAST('0001-01-01' AS TIMESTAMP) AND CAST('9799-12-31' AS TIMESTAMP)
      THEN DATE_TRUNC('MILLISECOND', source.paid_at)
    END AS event_at,
    source.order_id AS key_order_id,
    source.amount AS amount,
    CASE WHEN source.amount > 5 THEN source.order_id END AS input_last_big_order,
    source.order_id AS order_id
  FROM {{ source('latest', 'events') }} AS source
), history AS (
  /* events without user_id or a time are left out; an incremental build needs only some of the rest */
  SELECT
    user_id,
    event_at,
    amount,
    input_last_big_order,
    order_id,
    ROW_NUMBER() OVER (PARTITION BY user_id ORDER BY event_at, key_order_id) AS event_number
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
    input_last_big_order,
    order_id,
    event_number
  FROM history
  UNION ALL
  /* and leaves the window of 7d at its end */
  SELECT
    user_id,
    EPOCH_MS(event_at) + 604800000,
    1,
    NULL,
    NULL,
    NULL,
    NULL
  FROM history
), windowed AS (
  /* the value of every feature just after each change */
  SELECT
    user_id,
    MAKE_TIMESTAMP_MS(changed_at) AS valid_from,
    MAKE_TIMESTAMP_MS(LEAD(changed_at, 1, 253402214400000) OVER timeline) AS valid_to,
    CAST({{ fsync.latest('amount') }} AS DECIMAL(10, 2)) AS last_amount,
    CAST({{ fsync.latest('input_last_big_order') }} AS BIGINT) AS last_big_order,
    CAST({{ fsync.latest('order_id') }} AS BIGINT) AS last_order,
    CAST({{ fsync.window_count('1', '7d', leaves=1) }} AS BIGINT) AS recent_orders
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
  last_amount,
  last_big_order,
  last_order,
  recent_orders
FROM windowed
WHERE
  valid_from < valid_to
