-- Compiled by fsync from the specs in feature_specs/: change those, then run `fsync compile`.
--
-- One row for each change of (user_id): as of t, the row with valid_from < t <= valid_to holds.
--
--     sc_cents_1d        window_sum(score, 1d), scale 2
--     sc_cents_ever      lifetime_sum(score), scale 2
--     sc_last_score      latest(score), scale 1, default -0.5
--     sc_least_1d        window_min(score, 1d), scale 0
--     sc_mean_1d         window_avg(score, 1d), scale 2
--     sc_micro_ever      lifetime_sum(score), scale 6
--     sc_pico_triple_1d  window_sum(score * 3, 1d), scale 12
--     sc_positive_ever   lifetime_sum(score) where score > 0, scale 2
--     sc_values_ever     lifetime_count_distinct(score), scale 0
--     sc_whole_ever      lifetime_sum(score), scale 0
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
    CAST(CAST(CAST(FLOOR((
      source.score
    ) * 1e2 + 0.5) AS BIGINT) AS DECIMAL(19, 0)) * CAST(0.01 AS DECIMAL(3, 2)) AS DECIMAL(21, 2)) AS input_sc_cents_1d,
    CAST(CAST(CAST(FLOOR((
      source.score
    ) * 1e1 + 0.5) AS BIGINT) AS DECIMAL(19, 0)) * CAST(0.1 AS DECIMAL(2, 1)) AS DECIMAL(20, 1)) AS input_sc_last_score,
    CAST(CAST(CAST(FLOOR((
      source.score
    ) * 1e0 + 0.5) AS BIGINT) AS DECIMAL(19, 0)) * CAST(1 AS DECIMAL(1, 0)) AS DECIMAL(19, 0)) AS input_sc_least_1d,
    CAST(CAST(CAST(FLOOR((
      source.score
    ) * 1e6 + 0.5) AS BIGINT) AS DECIMAL(19, 0)) * CAST(0.000001 AS DECIMAL(7, 6)) AS DECIMAL(25, 6)) AS input_sc_micro_ever,
    CAST(CAST(CAST(FLOOR((
      source.score * 3
    ) * 1e12 + 0.5) AS BIGINT) AS DECIMAL(19, 0)) * CAST(0.000000000001 AS DECIMAL(13, 12)) AS DECIMAL(31, 12)) AS input_sc_pico_triple_1d,
    CASE
      WHEN source.score > 0
      THEN CAST(CAST(CAST(FLOOR((
        source.score
      ) * 1e2 + 0.5) AS BIGINT) AS DECIMAL(19, 0)) * CAST(0.01 AS DECIMAL(3, 2)) AS DECIMAL(21, 2))
    END AS input_sc_positive_ever
  FROM {{ source('scale', 'events') }} AS source
), history AS (
  /* events without user_id or a time are left out; an incremental build needs only some of the rest */
  SELECT
    user_id,
    event_at,
    input_sc_cents_1d,
    input_sc_last_score,
    input_sc_least_1d,
    input_sc_micro_ever,
    input_sc_pico_triple_1d,
    input_sc_positive_ever,
    ROW_NUMBER() OVER (PARTITION BY user_id ORDER BY event_at, order_id) AS event_number
  FROM events
  WHERE
    NOT user_id IS NULL AND NOT event_at IS NULL AND {{ fsync.is_changed() }}
), changes AS (
  /* an event enters at its instant, in milliseconds since 1970 */
  SELECT
    user_id,
    EPOCH_MS(event_at) AS changed_at,
    0 AS leaves,
    input_sc_cents_1d,
    input_sc_last_score,
    input_sc_least_1d,
    input_sc_micro_ever,
    input_sc_positive_ever,
    event_number,
    input_sc_cents_1d AS moved_input_sc_cents_1d,
    input_sc_pico_triple_1d AS moved_input_sc_pico_triple_1d
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
    NULL,
    NULL,
    NULL,
    input_sc_cents_1d,
    input_sc_pico_triple_1d
  FROM history
), windowed AS (
  /* the value of every feature just after each change */
  SELECT
    user_id,
    MAKE_TIMESTAMP_MS(changed_at) AS valid_from,
    MAKE_TIMESTAMP_MS(LEAD(changed_at, 1, 253402214400000) OVER timeline) AS valid_to,
    CAST({{ fsync.window_sum('moved_input_sc_cents_1d', '1d', leaves=1) }} AS DECIMAL(38, 2)) AS sc_cents_1d,
    CAST({{ fsync.lifetime_sum('input_sc_cents_1d') }} AS DECIMAL(38, 2)) AS sc_cents_ever,
    CAST(COALESCE({{ fsync.latest('input_sc_last_score') }}, -0.5) AS DECIMAL(20, 1)) AS sc_last_score,
    CAST({{ fsync.window_min('input_sc_least_1d', '1d') }} AS DECIMAL(19, 0)) AS sc_least_1d,
    CAST({{ fsync.window_avg('moved_input_sc_cents_1d', '1d', leaves=1) }} AS DOUBLE) AS sc_mean_1d,
    CAST({{ fsync.lifetime_sum('input_sc_micro_ever') }} AS DECIMAL(38, 6)) AS sc_micro_ever,
    CAST({{ fsync.window_sum('moved_input_sc_pico_triple_1d', '1d', leaves=1) }} AS DECIMAL(38, 12)) AS sc_pico_triple_1d,
    CAST({{ fsync.lifetime_sum('input_sc_positive_ever') }} AS DECIMAL(38, 2)) AS sc_positive_ever,
    CAST({{ fsync.lifetime_count_distinct('input_sc_least_1d') }} AS BIGINT) AS sc_values_ever,
    CAST({{ fsync.lifetime_sum('input_sc_least_1d') }} AS DECIMAL(38, 0)) AS sc_whole_ever
  FROM changes
  WINDOW timeline AS (
    PARTITION BY user_id
    ORDER BY changed_at
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  ), last_1d AS (
    PARTITION BY user_id
    ORDER BY changed_at
    RANGE BETWEEN 86399999 PRECEDING AND CURRENT ROW
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
  sc_cents_1d,
  sc_cents_ever,
  sc_last_score,
  sc_least_1d,
  sc_mean_1d,
  sc_micro_ever,
  sc_pico_triple_1d,
  sc_positive_ever,
  sc_values_ever,
  sc_whole_ever
FROM windowed
WHERE
  valid_from < valid_to
