-- Compiled by fsync from the specs in feature_specs/: change those, then run `fsync compile`.
--
-- One row for each change of (user_id): as of t, the row with valid_from < t <= valid_to holds.
-- Values change only every 1h.
--
--     eh_first_1h     window_first(order_id, 1h)
--     eh_first_ever   lifetime_first(amount)
--     eh_last_1h      window_last(order_id, 1h)
--     eh_last_2h      latest(amount), ttl 2h, default 0
--     eh_middle_1d    window_median(amount, 1d)
--     eh_orders_1h    window_count(1h)
--     eh_orders_3h    window_count(180m)
--     eh_orders_ever  lifetime_count()
--     eh_paid_last    latest(paid_at)
--     eh_share_1h     eh_orders_1h / eh_orders_ever
--     eh_spend_1d     window_sum(amount, 1d)
{{ config(materialized='validity_table') }}

WITH events AS (
  /* what the features read of each event */
  SELECT
    source.user_id AS user_id,
    CASE
      WHEN source.paid_at BETWEEN CAST('0001-01-01' AS TIMESTAMP) AND CAST('9799-12-31' AS TIMESTAMP)
      THEN TIME_BUCKET(
        INTERVAL '1' HOURS,
        DATE_TRUNC('MILLISECOND', source.paid_at),
        CAST('1970-01-01' AS TIMESTAMP)
      ) + INTERVAL '1' HOURS
    END AS event_at,
    DATE_TRUNC('MILLISECOND', source.paid_at) AS happened_at,
    source.order_id AS key_order_id,
    CAST(source.amount AS DECIMAL(10, 2)) AS amount,
    source.order_id AS order_id,
    DATE_TRUNC('MILLISECOND', source.paid_at) AS paid_at
  FROM {{ source('every_1h', 'events') }} AS source
), history AS (
  /* events without user_id or a time are left out; an incremental build needs only some of the rest */
  SELECT
    user_id,
    event_at,
    amount,
    order_id,
    paid_at,
    ROW_NUMBER() OVER (PARTITION BY user_id ORDER BY happened_at, key_order_id) AS event_number
  FROM events
  WHERE
    NOT user_id IS NULL AND NOT event_at IS NULL AND {{ fsync.is_changed() }}
), changes AS (
  /* an event enters at the next multiple of 1h */
  SELECT
    user_id,
    EPOCH_MS(event_at) AS changed_at,
    0 AS leaves,
    amount,
    1 AS is_event,
    order_id,
    paid_at,
    event_number,
    amount AS moved_amount
  FROM history
  UNION ALL
  /* and leaves the window of 1h at its end */
  SELECT
    user_id,
    EPOCH_MS(event_at) + 3600000,
    1,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    amount
  FROM history
  UNION ALL
  /* and leaves the window of 2h at its end */
  SELECT
    user_id,
    EPOCH_MS(event_at) + 7200000,
    2,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    amount
  FROM history
  UNION ALL
  /* and leaves the window of 3h at its end */
  SELECT
    user_id,
    EPOCH_MS(event_at) + 10800000,
    3,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    amount
  FROM history
  UNION ALL
  /* and leaves the window of 1d at its end */
  SELECT
    user_id,
    EPOCH_MS(event_at) + 86400000,
    4,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    amount
  FROM history
), windowed AS (
  /* the value of every feature just after each change */
  SELECT
    user_id,
    MAKE_TIMESTAMP_MS(changed_at) AS valid_from,
    MAKE_TIMESTAMP_MS(LEAD(changed_at, 1, 253402214400000) OVER timeline) AS valid_to,
    CAST({{ fsync.window_first('order_id', '1h') }} AS BIGINT) AS eh_first_1h,
    CAST({{ fsync.lifetime_first('amount') }} AS DECIMAL(10, 2)) AS eh_first_ever,
    CAST({{ fsync.window_last('order_id', '1h') }} AS BIGINT) AS eh_last_1h,
    CAST(COALESCE({{ fsync.latest('amount', '2h') }}, 0) AS DECIMAL(10, 2)) AS eh_last_2h,
    CAST({{ fsync.window_median('amount', '1d') }} AS DOUBLE) AS eh_middle_1d,
    CAST({{ fsync.window_count('1', '1h', leaves=1) }} AS BIGINT) AS eh_orders_1h,
    CAST({{ fsync.window_count('1', '3h', leaves=3) }} AS BIGINT) AS eh_orders_3h,
    CAST({{ fsync.lifetime_count('is_event') }} AS BIGINT) AS eh_orders_ever,
    CAST({{ fsync.latest('paid_at') }} AS TIMESTAMP) AS eh_paid_last,
    CAST({{ fsync.window_sum('moved_amount', '1d', leaves=4) }} AS DECIMAL(38, 2)) AS eh_spend_1d
  FROM changes
  WINDOW timeline AS (
    PARTITION BY user_id
    ORDER BY changed_at
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  ), last_1h AS (
    PARTITION BY user_id
    ORDER BY changed_at
    RANGE BETWEEN 3599999 PRECEDING AND CURRENT ROW
  ), last_2h AS (
    PARTITION BY user_id
    ORDER BY changed_at
    RANGE BETWEEN 7199999 PRECEDING AND CURRENT ROW
  ), last_1d AS (
    PARTITION BY user_id
    ORDER BY changed_at
    RANGE BETWEEN 86399999 PRECEDING AND CURRENT ROW
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
  eh_first_1h,
  eh_first_ever,
  eh_last_1h,
  eh_last_2h,
  eh_middle_1d,
  eh_orders_1h,
  eh_orders_3h,
  eh_orders_ever,
  eh_paid_last,
  CAST(eh_orders_1h / NULLIF(eh_orders_ever, 0) AS DOUBLE) AS eh_share_1h,
  eh_spend_1d
FROM windowed
WHERE
  valid_from < valid_to
