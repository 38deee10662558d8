-- Compiled by fsync from the specs in feature_specs/: change those, then run `fsync compile`.
--
-- One row for each change of (cohort): as of t, the row with valid_from < t <= valid_to holds.
--
--     da_last_cohort  latest(cohort), ttl 1d
--     da_middle_ever  lifetime_median(quantity)
--     da_orders_1d    window_count(1d)
{{ config(materialized='validity_table') }}

WITH events AS (
  /* what the features read of each event */
  SELECT
    source.cohort AS cohort,
    CASE
      WHEN source.paid_at BETWEEN CAST('0001-01-01' AS TIMESTAMP) AND CAST('9799-12-31' AS TIMESTAMP)
      THEN DATE_TRUNC('MILLISECOND', source.paid_at)
    END AS event_at,
    source.order_id AS order_id,
    source.cohort AS input_da_last_cohort,
    CAST(source.quantity AS BIGINT) AS quantity
  FROM {{ source('date_entity', 'events') }} AS source
), history AS (
  /* events without cohort or a time are left out; an incremental build needs only some of the rest */
  SELECT
    cohort,
    event_at,
    input_da_last_cohort,
    quantity,
    ROW_NUMBER() OVER (PARTITION BY cohort ORDER BY event_at, order_id) AS event_number
  FROM events
  WHERE
    NOT cohort IS NULL AND NOT event_at IS NULL AND {{ fsync.is_changed() }}
), changes AS (
  /* an event enters at its instant, in milliseconds since 1970 */
  SELECT
    cohort,
    EPOCH_MS(event_at) AS changed_at,
    0 AS leaves,
    input_da_last_cohort,
    quantity,
    event_number
  FROM history
  UNION ALL
  /* and leaves the window of 1d at its end */
  SELECT
    cohort,
    EPOCH_MS(event_at) + 86400000,
    1,
    NULL,
    NULL,
    NULL
  FROM history
), windowed AS (
  /* the value of every feature just after each change */
  SELECT
    cohort,
    MAKE_TIMESTAMP_MS(changed_at) AS valid_from,
    MAKE_TIMESTAMP_MS(LEAD(changed_at, 1, 253402214400000) OVER timeline) AS valid_to,
    CAST({{ fsync.latest('input_da_last_cohort', '1d') }} AS DATE) AS da_last_cohort,
    CAST({{ fsync.lifetime_median('quantity') }} AS DOUBLE) AS da_middle_ever,
    CAST({{ fsync.window_count('1', '1d', leaves=1) }} AS BIGINT) AS da_orders_1d
  FROM changes
  WINDOW timeline AS (
    PARTITION BY cohort
    ORDER BY changed_at
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  ), last_1d AS (
    PARTITION BY cohort
    ORDER BY changed_at
    RANGE BETWEEN 86399999 PRECEDING AND CURRENT ROW
  ), lifetime AS (
    PARTITION BY cohort
    ORDER BY changed_at
    RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  )
)
/* rows of one instant end where they begin, but for the last of them, which has seen all */
SELECT
  cohort,
  valid_from,
  valid_to,
  da_last_cohort,
  da_middle_ever,
  da_orders_1d
FROM windowed
WHERE
  valid_from < valid_to
