-- Compiled by fsync from the specs in feature_specs/: change those, then run `fsync compile`.
--
-- One row for each change of (user_id): as of t, the row with valid_from < t <= valid_to holds.
--
--     last_amount     latest(amount)
--     last_big_order  latest(order_id) where amount > 5
--     last_order      latest(order_id)
--     recent_orders   window_count(7d)
{{ config(materialized='table', post_hook="{{ fsync.stamp('latest_', '94af2d36') }}") }}

WITH events AS (
  /* what the features read of each event; one without user_id or a time is left out */
  SELECT
    source.user_id AS user_id,
    DATE_TRUNC('MILLISECOND', source.paid_at) AS event_at,
    source.order_id AS key_order_id,
    source.amount AS amount,
    CASE WHEN source.amount > 5 THEN source.order_id END AS input_last_big_order,
    source.order_id AS order_id
  FROM {{ source('latest', 'events') }} AS source
  WHERE
    NOT source.user_id IS NULL
    AND source.paid_at BETWEEN CAST('0001-01-01' AS TIMESTAMP) AND CAST('9899-12-31' AS TIMESTAMP)
), changes AS (
  /* an event enters at its instant */
  SELECT
    user_id,
    event_at AS changed_at,
    1 AS is_event,
    key_order_id,
    amount,
    input_last_big_order,
    order_id
  FROM events
  UNION ALL
  /* and leaves the window of 7d at its end */
  SELECT
    user_id,
    event_at + INTERVAL '7' DAYS,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL
  FROM events
), windowed AS (
  /* the value of every feature just after each change */
  SELECT
    user_id,
    changed_at AS valid_from,
    LEAD(changed_at, 1, CAST('9999-12-31' AS TIMESTAMP)) OVER timeline AS valid_to,
    CAST({{ fsync.latest('amount') }} AS DECIMAL(10, 2)) AS last_amount,
    CAST({{ fsync.latest('input_last_big_order') }} AS BIGINT) AS last_big_order,
    CAST({{ fsync.latest('order_id') }} AS BIGINT) AS last_order,
    CAST({{ fsync.window_count('is_event', '7d') }} AS BIGINT) AS recent_orders
  FROM changes
  WINDOW timeline AS (PARTITION BY user_id ORDER BY changed_at, key_order_id), last_7d AS (
    PARTITION BY user_id
    ORDER BY changed_at
    RANGE BETWEEN INTERVAL '7' DAYS - INTERVAL '1' MILLISECONDS PRECEDING AND CURRENT ROW
  ), newest AS (
    PARTITION BY user_id
    ORDER BY changed_at, key_order_id
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
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
