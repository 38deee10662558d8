-- Compiled by fsync from the specs in feature_specs/: change those, then run `fsync compile`.
--
-- One row for each change of (user_id): as of t, the row with valid_from < t <= valid_to holds.
-- Values change only every 7d.
--
--     ew_last_ever  latest(order_id)
--     ew_orders_1w  window_count(7d)
--     ew_orders_2w  window_count(2w)
{{ config(materialized='validity_table') }}

WITH events AS (
  /* what the features read of each event */
  SELECT
    source.user_id AS user_id,
    CASE
      WHEN CAST(source.paid_at AS DATE) BETWEEN CAST('0001-01-01' AS TIMESTAMP) AND CAST('9799-12-31' AS TIMESTAMP)
      THEN TIME_BUCKET(
        INTERVAL '7' DAYS,
        DATE_TRUNC('MILLISECOND', CAST(source.paid_at AS DATE)),
        CAST('1970-01-01' AS TIMESTAMP)
      ) + INTERVAL '7' DAYS
    END AS event_at,
    DATE_TRUNC('MILLISECOND', CAST(source.paid_at AS DATE)) AS happened_at,
    source.order_id AS key_order_id,
    source.order_id AS order_id
  FROM {{ source('every_1w', 'events') }} AS source
), history AS (
  /* events without user_id or a time are left out; an incremental build needs only some of the rest */
  SELECT
    user_id,
    event_at,
    order_id,
    ROW_NUMBER() OVER (PARTITION BY user_id ORDER BY happened_at, key_order_id) AS event_number
  FROM events
  WHERE
    NOT user_id IS NULL AND NOT event_at IS NULL AND {{ fsync.is_changed() }}
), changes AS (
  /* an event enters at the next multiple of 7d */
  SELECT
    user_id,
    EPOCH_MS(event_at) AS changed_at,
    0 AS leaves,
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
    NULL
  FROM history
  UNION ALL
  /* and leaves the window of 14d at its end */
  SELECT
    user_id,
    EPOCH_MS(event_at) + 1209600000,
    2,
    NULL,
    NULL
  FROM history
), windowed AS (
  /* the value of every feature just after each change */
  SELECT
    user_id,
    MAKE_TIMESTAMP_MS(changed_at) AS valid_from,
    MAKE_TIMESTAMP_MS(LEAD(changed_at, 1, 253402214400000) OVER timeline) AS valid_to,
    CAST({{ fsync.latest('order_id') }} AS BIGINT) AS ew_last_ever,
    CAST({{ fsync.window_count('1', '7d', leaves=1) }} AS BIGINT) AS ew_orders_1w,
    CAST({{ fsync.window_count('1', '14d', leaves=2) }} AS BIGINT) AS ew_orders_2w
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
  ew_last_ever,
  ew_orders_1w,
  ew_orders_2w
FROM windowed
WHERE
  valid_from < valid_to
