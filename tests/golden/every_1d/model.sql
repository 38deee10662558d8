-- Compiled by fsync from the specs in feature_specs/: change those, then run `fsync compile`.
--
-- One row for each change of (user_id): as of t, the row with valid_from < t <= valid_to holds.
-- Values change only every 1d.
--
--     ed_channels_7d  window_count_distinct(channel, 7d)
--     ed_first_7d     window_first(channel, 7d)
--     ed_last_7d      window_last(channel, 7d)
--     ed_last_web_2d  latest(amount) where channel = 'web', ttl 2d
--     ed_most_7d      window_percentile(amount, 0.9, 1w)
--     ed_orders_1d    window_count(1d)
--     ed_orders_7d    window_count(7d)
--     ed_spend_ever   lifetime_sum(amount)
--     ed_spread_7d    window_stddev(amount, 7d)
{{ config(materialized='validity_table') }}

WITH events AS (
  /* what the features read of each event */
  SELECT
    source.user_id AS user_id,
    CASE
      WHEN source.paid_at AT TIME ZONE 'UTC' BETWEEN CAST('0001-01-01' AS TIMESTAMP) AND CAST('9799-12-31' AS TIMESTAMP)
      THEN TIME_BUCKET(
        INTERVAL '1' DAYS,
        DATE_TRUNC('MILLISECOND', source.paid_at AT TIME ZONE 'UTC'),
        CAST('1970-01-01' AS TIMESTAMP)
      ) + INTERVAL '1' DAYS
    END AS event_at,
    DATE_TRUNC('MILLISECOND', source.paid_at AT TIME ZONE 'UTC') AS happened_at,
    source.order_id AS order_id,
    source.amount AS amount,
    source.channel AS channel,
    CASE WHEN source.channel = 'web' THEN source.amount END AS input_ed_last_web_2d
  FROM {{ source('every_1d', 'events') }} AS source
), history AS (
  /* events without user_id or a time are left out; an incremental build needs only some of the rest */
  SELECT
    user_id,
    event_at,
    amount,
    channel,
    input_ed_last_web_2d,
    ROW_NUMBER() OVER (PARTITION BY user_id ORDER BY happened_at, order_id) AS event_number
  FROM events
  WHERE
    NOT user_id IS NULL AND NOT event_at IS NULL AND {{ fsync.is_changed() }}
), changes AS (
  /* an event enters at the next multiple of 1d */
  SELECT
    user_id,
    EPOCH_MS(event_at) AS changed_at,
    0 AS leaves,
    amount,
    channel,
    input_ed_last_web_2d,
    event_number
  FROM history
  UNION ALL
  /* and leaves the window of 1d at its end */
  SELECT
    user_id,
    EPOCH_MS(event_at) + 86400000,
    1,
    NULL,
    NULL,
    NULL,
    NULL
  FROM history
  UNION ALL
  /* and leaves the window of 2d at its end */
  SELECT
    user_id,
    EPOCH_MS(event_at) + 172800000,
    2,
    NULL,
    NULL,
    NULL,
    NULL
  FROM history
  UNION ALL
  /* and leaves the window of 7d at its end */
  SELECT
    user_id,
    EPOCH_MS(event_at) + 604800000,
    3,
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
    CAST({{ fsync.window_count_distinct('channel', '7d') }} AS BIGINT) AS ed_channels_7d,
    CAST({{ fsync.window_first('channel', '7d') }} AS TEXT) AS ed_first_7d,
    CAST({{ fsync.window_last('channel', '7d') }} AS TEXT) AS ed_last_7d,
    CAST({{ fsync.latest('input_ed_last_web_2d', '2d') }} AS DECIMAL(10, 2)) AS ed_last_web_2d,
    CAST({{ fsync.window_percentile('amount', '0.9', '7d') }} AS DOUBLE) AS ed_most_7d,
    CAST({{ fsync.window_count('1', '1d', leaves=1) }} AS BIGINT) AS ed_orders_1d,
    CAST({{ fsync.window_count('1', '7d', leaves=3) }} AS BIGINT) AS ed_orders_7d,
    CAST({{ fsync.lifetime_sum('amount') }} AS DECIMAL(38, 2)) AS ed_spend_ever,
    CAST({{ fsync.window_stddev('amount', '7d') }} AS DOUBLE) AS ed_spread_7d
  FROM changes
  WINDOW timeline AS (
    PARTITION BY user_id
    ORDER BY changed_at
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  ), last_2d AS (
    PARTITION BY user_id
    ORDER BY changed_at
    RANGE BETWEEN 172799999 PRECEDING AND CURRENT ROW
  ), last_7d AS (
    PARTITION BY user_id
    ORDER BY changed_at
    RANGE BETWEEN 604799999 PRECEDING AND CURRENT ROW
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
  ed_channels_7d,
  ed_first_7d,
  ed_last_7d,
  ed_last_web_2d,
  ed_most_7d,
  ed_orders_1d,
  ed_orders_7d,
  ed_spend_ever,
  ed_spread_7d
FROM windowed
WHERE
  valid_from < valid_to
