-- Compiled by fsync from the specs in feature_specs/: change those, then run `fsync compile`.
--
-- One row for each change of (user_id): as of t, the row with valid_from < t <= valid_to holds.
--
--     dd_channels   window_count_distinct(channel, 7d)
--     dd_closed     window_last(channel, 7d)
--     dd_distance   (dd_recent - dd_middle) / nullif(dd_quartiles * 2 - dd_high, 0)
--     dd_has_moved  dd_opened <> dd_closed, default false
--     dd_high       window_percentile(amount, 0.75, 7d)
--     dd_is_wide    dd_relative > 0.5 and dd_channels >= 2
--     dd_label      case when dd_is_wide and dd_has_moved then upper(dd_closed) when dd_is_wide then dd_closed end, default "none"
--     dd_low        window_percentile(amount, 0.25, 7d)
--     dd_middle     window_median(amount, 7d)
--     dd_opened     window_first(channel, 7d)
--     dd_quartiles  dd_high - dd_low
--     dd_recent     latest(amount), ttl 1d
--     dd_relative   dd_quartiles / dd_middle, default 0
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
    source.channel AS channel
  FROM {{ source('derived_twice', 'events') }} AS source
), history AS (
  /* events without user_id or a time are left out; an incremental build needs only some of the rest */
  SELECT
    user_id,
    event_at,
    amount,
    channel,
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
    event_number
  FROM history
  UNION ALL
  /* and leaves the window of 1d at its end */
  SELECT
    user_id,
    EPOCH_MS(event_at) + 86400000,
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
    NULL
  FROM history
), windowed AS (
  /* the value of every feature just after each change */
  SELECT
    user_id,
    MAKE_TIMESTAMP_MS(changed_at) AS valid_from,
    MAKE_TIMESTAMP_MS(LEAD(changed_at, 1, 253402214400000) OVER timeline) AS valid_to,
    CAST({{ fsync.window_count_distinct('channel', '7d') }} AS BIGINT) AS dd_channels,
    CAST({{ fsync.window_last('channel', '7d') }} AS TEXT) AS dd_closed,
    CAST({{ fsync.window_percentile('amount', '0.75', '7d') }} AS DOUBLE) AS dd_high,
    CAST({{ fsync.window_percentile('amount', '0.25', '7d') }} AS DOUBLE) AS dd_low,
    CAST({{ fsync.window_median('amount', '7d') }} AS DOUBLE) AS dd_middle,
    CAST({{ fsync.window_first('channel', '7d') }} AS TEXT) AS dd_opened,
    CAST({{ fsync.latest('amount', '1d') }} AS DECIMAL(10, 2)) AS dd_recent
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
  )
)
/* rows of one instant end where they begin, but for the last of them, which has seen all */
SELECT
  user_id,
  valid_from,
  valid_to,
  dd_channels,
  dd_closed,
  CAST((
    dd_recent - dd_middle
  ) / NULLIF((
    dd_high - dd_low
  ) * CAST(2 AS BIGINT) - dd_high, 0) AS DOUBLE) AS dd_distance,
  CAST(COALESCE(dd_opened <> dd_closed, FALSE) AS BOOLEAN) AS dd_has_moved,
  dd_high,
  CAST(COALESCE((
    (
      dd_high - dd_low
    ) / NULLIF(dd_middle, 0)
  ), 0.0) > 0.5
  AND dd_channels >= 2 AS BOOLEAN) AS dd_is_wide,
  CAST(COALESCE(
    CASE
      WHEN (
        COALESCE((
          (
            dd_high - dd_low
          ) / NULLIF(dd_middle, 0)
        ), 0.0) > 0.5
        AND dd_channels >= 2
      )
      AND COALESCE((
        dd_opened <> dd_closed
      ), FALSE)
      THEN UPPER(dd_closed)
      WHEN (
        COALESCE((
          (
            dd_high - dd_low
          ) / NULLIF(dd_middle, 0)
        ), 0.0) > 0.5
        AND dd_channels >= 2
      )
      THEN dd_closed
    END,
    'none'
  ) AS TEXT) AS dd_label,
  dd_low,
  dd_middle,
  dd_opened,
  CAST(dd_high - dd_low AS DOUBLE) AS dd_quartiles,
  dd_recent,
  CAST(COALESCE((
    dd_high - dd_low
  ) / NULLIF(dd_middle, 0), 0.0) AS DOUBLE) AS dd_relative
FROM windowed
WHERE
  valid_from < valid_to
