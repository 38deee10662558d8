-- Compiled by fsync from the specs in feature_specs/: change those, then run `fsync compile`.
--
-- One row for each change of (user_id): as of t, the row with valid_from < t <= valid_to holds.
--
--     tt_amount_1s      latest(amount), ttl 1s
--     tt_amount_30d     latest(amount), ttl 30d
--     tt_amount_ever    latest(amount)
--     tt_channel_1d     latest(channel), ttl 1d, default "nowhere"
--     tt_web_amount_4w  latest(amount) where channel = 'web', ttl 28d
{{ config(materialized='validity_table') }}

WITH events AS (
  /* what the features read of each event */
  SELECT
    source.user_id AS user_id,
    CASE
      WHEN source.paid_at BETWEEN CAST('0001-01-01' AS TIMESTAMP) AND CAST('9799-12-31' AS TIMESTAMP)
      THEN DATE_TRUNC('MILLISECOND', source.paid_at)
    END AS event_at,
    source.order_id AS order_id,
    source.amount AS amount,
    source.channel AS channel,
    CASE WHEN source.channel = 'web' THEN source.amount END AS input_tt_web_amount_4w
  FROM {{ source('latest_ttl', 'events') }} AS source
), history AS (
  /* events without user_id or a time are left out; an incremental build needs only some of the rest */
  SELECT
    user_id,
    event_at,
    amount,
    channel,
    input_tt_web_amount_4w,
    ROW_NUMBER() OVER (PARTITION BY user_id ORDER BY event_at, order_id) AS event_number
  FROM events
  WHERE
    NOT user_id IS NULL AND NOT event_at IS NULL AND {{ fsync.is_changed() }}
), changes AS (
  /* an event enters at its instant, in milliseconds since 1970 */
  SELECT
    user_id,
    EPOCH_MS(event_at) AS changed_at,
    amount,
    channel,
    input_tt_web_amount_4w,
    event_number
  FROM history
  UNION ALL
  /* and leaves the window of 1s at its end */
  SELECT
    user_id,
    EPOCH_MS(event_at) + 1000,
    NULL,
    NULL,
    NULL,
    NULL
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
  /* and leaves the window of 28d at its end */
  SELECT
    user_id,
    EPOCH_MS(event_at) + 2419200000,
    NULL,
    NULL,
    NULL,
    NULL
  FROM history
  UNION ALL
  /* and leaves the window of 30d at its end */
  SELECT
    user_id,
    EPOCH_MS(event_at) + 2592000000,
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
    CAST({{ fsync.latest('amount', '1s') }} AS DECIMAL(10, 2)) AS tt_amount_1s,
    CAST({{ fsync.latest('amount', '30d') }} AS DECIMAL(10, 2)) AS tt_amount_30d,
    CAST({{ fsync.latest('amount') }} AS DECIMAL(10, 2)) AS tt_amount_ever,
    CAST(COALESCE({{ fsync.latest('channel', '1d') }}, 'nowhere') AS TEXT) AS tt_channel_1d,
    CAST({{ fsync.latest('input_tt_web_amount_4w', '28d') }} AS DECIMAL(10, 2)) AS tt_web_amount_4w
  FROM changes
  WINDOW timeline AS (
    PARTITION BY user_id
    ORDER BY changed_at
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  ), last_1s AS (
    PARTITION BY user_id
    ORDER BY changed_at
    RANGE BETWEEN 999 PRECEDING AND CURRENT ROW
  ), last_1d AS (
    PARTITION BY user_id
    ORDER BY changed_at
    RANGE BETWEEN 86399999 PRECEDING AND CURRENT ROW
  ), last_28d AS (
    PARTITION BY user_id
    ORDER BY changed_at
    RANGE BETWEEN 2419199999 PRECEDING AND CURRENT ROW
  ), last_30d AS (
    PARTITION BY user_id
    ORDER BY changed_at
    RANGE BETWEEN 2591999999 PRECEDING AND CURRENT ROW
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
  tt_amount_1s,
  tt_amount_30d,
  tt_amount_ever,
  tt_channel_1d,
  tt_web_amount_4w
FROM windowed
WHERE
  valid_from < valid_to
