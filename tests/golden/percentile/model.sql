-- Compiled by fsync from the specs in feature_specs/: change those, then run `fsync compile`.
--
-- One row for each change of (user_id): as of t, the row with valid_from < t <= valid_to holds.
--
--     pc_greatest_7d    window_percentile(amount, 1, 7d)
--     pc_greatest_ever  lifetime_percentile(amount, 1.00)
--     pc_half_7d        window_percentile(amount, 0.5, 7d)
--     pc_least_7d       window_percentile(amount, 0, 7d)
--     pc_least_ever     lifetime_percentile(amount, 0.0)
--     pc_most_1d        window_percentile(amount, 9.5e-1, 1d)
--     pc_most_7d        window_percentile(amount, 0.95, 7d)
--     pc_most_ever      lifetime_percentile(amount, 0.95)
--     pc_tenth_7d       window_percentile(amount, 0.1, 7d)
--     pc_third_7d       window_percentile(amount, 0.333, 7d)
{{ config(materialized='validity_table') }}

WITH events AS (
  /* what the features read of each event */
  SELECT
    source.user_id AS user_id,
    CASE
      WHEN source.paid_at BETWEEN CAST('0001-01-01' AS TIMESTAMP) AND CAST('9799-12-31' AS TIMESTAMP)
      THEN DATE_TRUNC('MILLISECOND', source.paid_at)
    END AS event_at,
    source.amount AS amount
  FROM {{ source('percentile', 'events') }} AS source
), history AS (
  /* events without user_id or a time are left out; an incremental build needs only some of the rest */
  SELECT
    user_id,
    event_at,
    amount
  FROM events
  WHERE
    NOT user_id IS NULL AND NOT event_at IS NULL AND {{ fsync.is_changed() }}
), changes AS (
  /* an event enters at its instant, in milliseconds since 1970 */
  SELECT
    user_id,
    EPOCH_MS(event_at) AS changed_at,
    amount
  FROM history
  UNION ALL
  /* and leaves the window of 1d at its end */
  SELECT
    user_id,
    EPOCH_MS(event_at) + 86400000,
    NULL
  FROM history
  UNION ALL
  /* and leaves the window of 7d at its end */
  SELECT
    user_id,
    EPOCH_MS(event_at) + 604800000,
    NULL
  FROM history
), windowed AS (
  /* the value of every feature just after each change */
  SELECT
    user_id,
    MAKE_TIMESTAMP_MS(changed_at) AS valid_from,
    MAKE_TIMESTAMP_MS(LEAD(changed_at, 1, 253402214400000) OVER timeline) AS valid_to,
    CAST({{ fsync.window_percentile('amount', '1', '7d') }} AS DOUBLE) AS pc_greatest_7d,
    CAST({{ fsync.lifetime_percentile('amount', '1.00') }} AS DOUBLE) AS pc_greatest_ever,
    CAST({{ fsync.window_percentile('amount', '0.5', '7d') }} AS DOUBLE) AS pc_half_7d,
    CAST({{ fsync.window_percentile('amount', '0', '7d') }} AS DOUBLE) AS pc_least_7d,
    CAST({{ fsync.lifetime_percentile('amount', '0.0') }} AS DOUBLE) AS pc_least_ever,
    CAST({{ fsync.window_percentile('amount', '0.95', '1d') }} AS DOUBLE) AS pc_most_1d,
    CAST({{ fsync.window_percentile('amount', '0.95', '7d') }} AS DOUBLE) AS pc_most_7d,
    CAST({{ fsync.lifetime_percentile('amount', '0.95') }} AS DOUBLE) AS pc_most_ever,
    CAST({{ fsync.window_percentile('amount', '0.1', '7d') }} AS DOUBLE) AS pc_tenth_7d,
    CAST({{ fsync.window_percentile('amount', '0.333', '7d') }} AS DOUBLE) AS pc_third_7d
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
  pc_greatest_7d,
  pc_greatest_ever,
  pc_half_7d,
  pc_least_7d,
  pc_least_ever,
  pc_most_1d,
  pc_most_7d,
  pc_most_ever,
  pc_tenth_7d,
  pc_third_7d
FROM windowed
WHERE
  valid_from < valid_to
