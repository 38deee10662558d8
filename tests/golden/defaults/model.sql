-- Compiled by fsync from the specs in feature_specs/: change those, then run `fsync compile`.
--
-- One row for each change of (user_id): as of t, the row with valid_from < t <= valid_to holds.
--
--     de_channels           window_count_distinct(channel, 7d), default 0
--     de_first_channel      window_first(channel, 7d), default "it's {{ "{" }}{ none }}"
--     de_first_paid         window_first(paid_at, 7d), default "2000-01-01"
--     de_label              nullif(de_last_channel, ''), default "nowhere"
--     de_last_amount        latest(amount), ttl 7d, default -0.01
--     de_last_channel       window_last(channel, 7d), default ""
--     de_middle             window_median(amount, 7d), default 0.5
--     de_most               window_percentile(amount, 0.9, 7d), default 0
--     de_spread             window_stddev(amount, 7d), default -1
--     de_spread_and_middle  de_spread + de_middle
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
    DATE_TRUNC('MILLISECOND', source.paid_at) AS paid_at
  FROM {{ source('defaults', 'events') }} AS source
), history AS (
  /* events without user_id or a time are left out; an incremental build needs only some of the rest */
  SELECT
    user_id,
    event_at,
    amount,
    channel,
    paid_at,
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
    paid_at,
    event_number
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
    CAST({{ fsync.window_count_distinct('channel', '7d') }} AS BIGINT) AS de_channels,
    CAST(COALESCE({{ fsync.window_first('channel', '7d') }}, 'it''s {{ "{" }}{ none }}') AS TEXT) AS de_first_channel,
    CAST(COALESCE(
      {{ fsync.window_first('paid_at', '7d') }},
      CAST('2000-01-01 00:00:00.000' AS TIMESTAMP)
    ) AS TIMESTAMP) AS de_first_paid,
    CAST(COALESCE({{ fsync.latest('amount', '7d') }}, -0.01) AS DECIMAL(10, 2)) AS de_last_amount,
    CAST(COALESCE({{ fsync.window_last('channel', '7d') }}, '') AS TEXT) AS de_last_channel,
    CAST(COALESCE({{ fsync.window_median('amount', '7d') }}, 0.5) AS DOUBLE) AS de_middle,
    CAST(COALESCE({{ fsync.window_percentile('amount', '0.9', '7d') }}, 0.0) AS DOUBLE) AS de_most,
    CAST(COALESCE({{ fsync.window_stddev('amount', '7d') }}, -1.0) AS DOUBLE) AS de_spread
  FROM changes
  WINDOW timeline AS (
    PARTITION BY user_id
    ORDER BY changed_at
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  ), last_7d AS (
    PARTITION BY user_id
    ORDER BY changed_at
    RANGE BETWEEN 604799999 PRECEDING AND CURRENT ROW
  )
)
/* rows of one instant end where they begin, but for the last of them, which has seen all */
SELECT
  user_id,
  valid_from,
  valid_to,
  de_channels,
  de_first_channel,
  de_first_paid,
  CAST(COALESCE(NULLIF(de_last_channel, ''), 'nowhere') AS TEXT) AS de_label,
  de_last_amount,
  de_last_channel,
  de_middle,
  de_most,
  de_spread,
  CAST(de_spread + de_middle AS DOUBLE) AS de_spread_and_middle
FROM windowed
WHERE
  valid_from < valid_to
