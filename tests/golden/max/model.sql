-- Compiled by fsync from the specs in feature_specs/: change those, then run `fsync compile`.
--
-- One row for each change of (user_id): as of t, the row with valid_from < t <= valid_to holds.
--
--     last_time_2w  window_max(paid_at, 2w)
--     most_7d       window_max(amount, 7d), default 0
--     most_ever     lifetime_max(amount)
{{ config(materialized='validity_table') }}

WITH events AS (
  /* what the features read of each event */
  SELECT
    source.user_id AS user_id,
    CASE
      WHEN source.paid_at BETWEEN CAST('0001-01-01' AS TIMESTAMP) AND CAST('9799-12-31' AS TIMESTAMP)
      THEN DATE_TRUNC('MILLISECOND', source.paid_at)
    END AS event_at,
    source.amount AS amount,
    DATE_TRUNC('MILLISECOND', source.paid_at) AS paid_at
  FROM {{ source('max', 'events') }} AS source
), history AS (
  /* events without user_id or a time are left out; an incremental build needs only some of the rest */
  SELECT
    user_id,
    event_at,
    amount,
    paid_at
  FROM events
  WHERE
    NOT user_id IS NULL AND NOT event_at IS NULL AND {{ fsync.is_changed() }}
), changes AS (
  /* an event enters at its instant, in milliseconds since 1970 */
  SELECT
    user_id,
    EPOCH_MS(event_at) AS changed_at,
    amount,
    paid_at
  FROM history
  UNION ALL
  /* and leaves the window of 7d at its end */
  SELECT
    user_id,
    EPOCH_MS(event_at) + 604800000,
    NULL,
    NULL
  FROM history
  UNION ALL
  /* and leaves the window of 14d at its end */
  SELECT
    user_id,
    EPOCH_MS(event_at) + 1209600000,
    NULL,
    NULL
  FROM history
), windowed AS (
  /* the value of every feature just after each change */
  SELECT
    user_id,
    MAKE_TIMESTAMP_MS(changed_at) AS valid_from,
    MAKE_TIMESTAMP_MS(LEAD(changed_at, 1, 253402214400000) OVER timeline) AS valid_to,
    CAST({{ fsync.window_max('paid_at', '14d') }} AS TIMESTAMP) AS last_time_2w,
    CAST(COALESCE({{ fsync.window_max('amount', '7d') }}, 0) AS DECIMAL(10, 2)) AS most_7d,
    CAST({{ fsync.lifetime_max('amount') }} AS DECIMAL(10, 2)) AS most_ever
  FROM changes
  WINDOW timeline AS (
    PARTITION BY user_id
    ORDER BY changed_at
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  ), last_7d AS (
    PARTITION BY user_id
    ORDER BY changed_at
    RANGE BETWEEN 604799999 PRECEDING AND CURRENT ROW
  ), last_14d AS (
    PARTITION BY user_id
    ORDER BY changed_at
    RANGE BETWEEN 1209599999 PRECEDING AND CURRENT ROW
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
  last_time_2w,
  most_7d,
  most_ever
FROM windowed
WHERE
  valid_from < valid_to
