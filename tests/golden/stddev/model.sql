-- Compiled by fsync from the specs in feature_specs/: change those, then run `fsync compile`.
--
-- One row for each change of (user_id): as of t, the row with valid_from < t <= valid_to holds.
--
--     sd_spread_1d       window_stddev(amount, 1d)
--     sd_spread_7d       window_stddev(amount, 7d)
--     sd_spread_ever     lifetime_stddev(amount)
--     sd_spread_of_some  lifetime_stddev(amount) where amount > 0
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
    CASE WHEN source.amount > 0 THEN source.amount END AS input_sd_spread_of_some
  FROM {{ source('stddev', 'events') }} AS source
), history AS (
  /* events without user_id or a time are left out; an incremental build needs only some of the rest */
  SELECT
    user_id,
    event_at,
    amount,
    input_sd_spread_of_some
  FROM events
  WHERE
    NOT user_id IS NULL AND NOT event_at IS NULL AND {{ fsync.is_changed() }}
), changes AS (
  /* an event enters at its instant, in milliseconds since 1970 */
  SELECT
    user_id,
    EPOCH_MS(event_at) AS changed_at,
    amount,
    input_sd_spread_of_some
  FROM history
  UNION ALL
  /* and leaves the window of 1d at its end */
  SELECT
    user_id,
    EPOCH_MS(event_at) + 86400000,
    NULL,
    NULL
  FROM history
  UNION ALL
  /* and leaves the window of 7d at its end */
  SELECT
    user_id,
    EPOCH_MS(event_at) + 604800000,
    NULL,
    NULL
  FROM history
), windowed AS (
  /* the value of every feature just after each change */
  SELECT
    user_id,
    MAKE_TIMESTAMP_MS(changed_at) AS valid_from,
    MAKE_TIMESTAMP_MS(LEAD(changed_at, 1, 253402214400000) OVER timeline) AS valid_to,
    CAST({{ fsync.window_stddev('amount', '1d') }} AS DOUBLE) AS sd_spread_1d,
    CAST({{ fsync.window_stddev('amount', '7d') }} AS DOUBLE) AS sd_spread_7d,
    CAST({{ fsync.lifetime_stddev('amount') }} AS DOUBLE) AS sd_spread_ever,
    CAST({{ fsync.lifetime_stddev('input_sd_spread_of_some') }} AS DOUBLE) AS sd_spread_of_some
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
  sd_spread_1d,
  sd_spread_7d,
  sd_spread_ever,
  sd_spread_of_some
FROM windowed
WHERE
  valid_from < valid_to
