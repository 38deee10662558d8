-- Compiled by fsync from the specs in feature_specs/: change those, then run `fsync compile`.
--
-- One row for each change of (user_id): as of t, the row with valid_from < t <= valid_to holds.
--
--     la_channel_1d      window_last(channel, 1d)
--     la_channel_7d      window_last(channel, 7d)
--     la_channel_ever    lifetime_last(channel)
--     la_channel_now     latest(channel)
--     la_paid_7d         window_last(paid_at, 7d)
--     la_shop_amount_7d  window_last(amount, 7d) where channel = 'shop'
{{ config(materialized='validity_table') }}

WITH events AS (
  /* what the features read of each event */
  SELECT
    source.user_id AS user_id,
    CASE
      WHEN source.paid_at BETWEEN CAST('0001-01-01' AS TIMESTAMP) AND CAST('9799-12-31' AS TIMESTAMP)
      THEN DATE_TRUNC('MILLISECOND', source.paid_at)
    END AS event_at,
    source.code AS code,
    source.channel AS channel,
    CASE WHEN source.channel = 'shop' THEN source.amount END AS input_la_shop_amount_7d,
    DATE_TRUNC('MILLISECOND', source.paid_at) AS paid_at
  FROM {{ source('last', 'events') }} AS source
), history AS (
  /* events without user_id or a time are left out; an incremental build needs only some of the rest */
  SELECT
    user_id,
    event_at,
    channel,
    input_la_shop_amount_7d,
    paid_at,
    ROW_NUMBER() OVER (PARTITION BY user_id ORDER BY event_at, code) AS event_number
  FROM events
  WHERE
    NOT user_id IS NULL AND NOT event_at IS NULL AND {{ fsync.is_changed() }}
), changes AS (
  /* an event enters at its instant, in milliseconds since 1970 */
  SELECT
    user_id,
    EPOCH_MS(event_at) AS changed_at,
    channel,
    input_la_shop_amount_7d,
    paid_at,
    event_number
  FROM history
  UNION ALL
  /* and leaves the window of 1d at its end */
  SELECT
    user_id,
    EPOCH_MS(event_at) + 86400000,
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
    CAST({{ fsync.window_last('channel', '1d') }} AS TEXT) AS la_channel_1d,
    CAST({{ fsync.window_last('channel', '7d') }} AS TEXT) AS la_channel_7d,
    CAST({{ fsync.lifetime_last('channel') }} AS TEXT) AS la_channel_ever,
    CAST({{ fsync.latest('channel') }} AS TEXT) AS la_channel_now,
    CAST({{ fsync.window_last('paid_at', '7d') }} AS TIMESTAMP) AS la_paid_7d,
    CAST({{ fsync.window_last('input_la_shop_amount_7d', '7d') }} AS DECIMAL(10, 2)) AS la_shop_amount_7d
  FROM changes
  WINDOW timeline AS (
    PARTITION BY user_id
    ORDER BY changed_at
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  ), last_1d AS (
    PARTITION BY user_id
    ORDER BY changed_at
    RANGE BETWEEN 86399999 PRECEDING AND CURRENT ROW
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
  la_channel_1d,
  la_channel_7d,
  la_channel_ever,
  la_channel_now,
  la_paid_7d,
  la_shop_amount_7d
FROM windowed
WHERE
  valid_from < valid_to
