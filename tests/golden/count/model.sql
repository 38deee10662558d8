-- Compiled by fsync from the specs in feature_specs/: change those, then run `fsync compile`.
--
-- One row for each change of (user_id): as of t, the row with valid_from < t <= valid_to holds.
--
--     amounts_7d    window_count(amount, 7d)
--     amounts_ever  lifetime_count(amount)
--     orders_1s     window_count(1s)
--     orders_7d     window_count(7d)
--     orders_ever   lifetime_count()
{{ config(materialized='validity_table') }}

WITH events AS (
  /* what the features read of each event */
  SELECT
    source.user_id AS user_id,
    CASE
      WHEN source.paid_at BETWEEN CAST('0001-01-01' AS TIMESTAMP) AND CAST('9799-12-31' AS TIMESTAMP)
      THEN DATE_TRUNC('MILLISECOND', source.paid_at)
    END AS event_at,
    CAST(source.amount AS DECIMAL(10, 2)) AS amount
  FROM {{ source('count', 'events') }} AS source
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
    0 AS leaves,
    amount,
    1 AS is_event,
    amount AS moved_amount
  FROM history
  UNION ALL
  /* and leaves the window of 1s at its end */
  SELECT
    user_id,
    EPOCH_MS(event_at) + 1000,
    1,
    NULL,
    NULL,
    amount
  FROM history
  UNION ALL
  /* and leaves the window of 7d at its end */
  SELECT
    user_id,
    EPOCH_MS(event_at) + 604800000,
    2,
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
    CAST({{ fsync.window_count('moved_amount', '7d', leaves=2) }} AS BIGINT) AS amounts_7d,
    CAST({{ fsync.lifetime_count('amount') }} AS BIGINT) AS amounts_ever,
    CAST({{ fsync.window_count('1', '1s', leaves=1) }} AS BIGINT) AS orders_1s,
    CAST({{ fsync.window_count('1', '7d', leaves=2) }} AS BIGINT) AS orders_7d,
    CAST({{ fsync.lifetime_count('is_event') }} AS BIGINT) AS orders_ever
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
  amounts_7d,
  amounts_ever,
  orders_1s,
  orders_7d,
  orders_ever
FROM windowed
WHERE
  valid_from < valid_to
