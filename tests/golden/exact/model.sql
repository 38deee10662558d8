-- Compiled by fsync from the specs in feature_specs/: change those, then run `fsync compile`.
--
-- One row for each change of (user_id): as of t, the row with valid_from < t <= valid_to holds.
--
--     chosen        window_max(case when amount > 0 then 2000000000 else 1 end * (1 + 1), 1d)
--     doubled       window_sum(small * 2, 1d)
--     exact_amount  latest(amount) /* {{ "{" }}{ 1/0 }} */
--     exact_time    latest(at_exactly)
--     far           window_count(1d) where small < 2000000000 + 2000000000 -- {{ "{" }}% do run_query('x') %}
--     mean          doubled / far, default -1
--     mean_and_one  mean + 1
--     since_noon    window_count(1d) where at_exactly < timestamp '2024-01-01T01:00:00.0019+01:00'
{{ config(materialized='validity_table') }}

WITH events AS (
  /* what the features read of each event */
  SELECT
    source.user_id AS user_id,
    CASE
      WHEN source.at_exactly BETWEEN CAST('0001-01-01' AS TIMESTAMP) AND CAST('9799-12-31' AS TIMESTAMP)
      THEN DATE_TRUNC('MILLISECOND', source.at_exactly)
    END AS event_at,
    source.at_exactly AS key_at_exactly,
    source.amount AS amount,
    DATE_TRUNC('MILLISECOND', source.at_exactly) AS at_exactly,
    CASE
      WHEN source.amount > 0
      THEN CAST(2000000000 AS BIGINT)
      ELSE CAST(1 AS BIGINT)
    END * (
      CAST(1 AS BIGINT) + CAST(1 AS BIGINT)
    ) AS input_chosen,
    CAST(CAST(source.small AS BIGINT) * CAST(2 AS BIGINT) AS BIGINT) AS input_doubled,
    CASE
      WHEN CAST(source.small AS BIGINT) < CAST(2000000000 AS BIGINT) + CAST(2000000000 AS BIGINT)
      THEN 1
    END AS input_far,
    CASE
      WHEN DATE_TRUNC('MILLISECOND', source.at_exactly) < CAST('2024-01-01 00:00:00.001' AS TIMESTAMP)
      THEN 1
    END AS input_since_noon
  FROM {{ source('exact', 'events') }} AS source
), history AS (
  /* events without user_id or a time are left out; an incremental build needs only some of the rest */
  SELECT
    user_id,
    event_at,
    amount,
    at_exactly,
    input_chosen,
    input_doubled,
    input_far,
    input_since_noon,
    ROW_NUMBER() OVER (PARTITION BY user_id ORDER BY event_at, key_at_exactly) AS event_number
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
    at_exactly,
    input_chosen,
    event_number,
    input_doubled AS moved_input_doubled,
    input_far AS moved_input_far,
    input_since_noon AS moved_input_since_noon
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
    input_doubled,
    input_far,
    input_since_noon
  FROM history
), windowed AS (
  /* the value of every feature just after each change */
  SELECT
    user_id,
    MAKE_TIMESTAMP_MS(changed_at) AS valid_from,
    MAKE_TIMESTAMP_MS(LEAD(changed_at, 1, 253402214400000) OVER timeline) AS valid_to,
    CAST({{ fsync.window_max('input_chosen', '1d') }} AS BIGINT) AS chosen,
    CAST({{ fsync.window_sum('moved_input_doubled', '1d', leaves=1) }} AS DECIMAL(38, 0)) AS doubled,
    CAST({{ fsync.latest('amount') }} AS DECIMAL(10, 2)) AS exact_amount,
    CAST({{ fsync.latest('at_exactly') }} AS TIMESTAMP) AS exact_time,
    CAST({{ fsync.window_count('moved_input_far', '1d', leaves=1) }} AS BIGINT) AS far,
    CAST({{ fsync.window_count('moved_input_since_noon', '1d', leaves=1) }} AS BIGINT) AS since_noon
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
  chosen,
  doubled,
  exact_amount,
  exact_time,
  far,
  CAST(COALESCE(doubled / NULLIF(far, 0), -1.0) AS DOUBLE) AS mean,
  CAST(COALESCE((
    doubled / NULLIF(far, 0)
  ), -1.0) + CAST(1 AS BIGINT) AS DOUBLE) AS mean_and_one,
  since_noon
FROM windowed
WHERE
  valid_from < valid_to
