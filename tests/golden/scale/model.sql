-- Compiled by fsync from the specs in feature_specs/: change those, then run `fsync compile`.
--
-- One row for each change of (sensor): as of t, the row with valid_from < t <= valid_to holds.
--
--     reading_max_1d   window_max(reading * 2, 1d), scale 0
--     reading_mean_1d  window_avg(reading, 1d), scale 6
--     reading_sum_1d   window_sum(reading, 1d), scale 2
--     readings_1d      window_count_distinct(reading, 1d), scale 1
{{ config(materialized='validity_table') }}

WITH events AS (
  /* what the features read of each event */
  SELECT
    source.sensor AS sensor,
    CASE
      WHEN source.measured_at BETWEEN CAST('0001-01-01' AS TIMESTAMP) AND CAST('9799-12-31' AS TIMESTAMP)
      THEN DATE_TRUNC('MILLISECOND', source.measured_at)
    END AS event_at,
    CAST(CAST(CAST(FLOOR((
      source.reading * 2
    ) * 1e0 + 0.5) AS BIGINT) AS DECIMAL(19, 0)) * CAST(1 AS DECIMAL(1, 0)) AS DECIMAL(19, 0)) AS input_reading_max_1d,
    CAST(CAST(CAST(FLOOR((
      source.reading
    ) * 1e6 + 0.5) AS BIGINT) AS DECIMAL(19, 0)) * CAST(0.000001 AS DECIMAL(7, 6)) AS DECIMAL(25, 6)) AS input_reading_mean_1d,
    CAST(CAST(CAST(FLOOR((
      source.reading
    ) * 1e2 + 0.5) AS BIGINT) AS DECIMAL(19, 0)) * CAST(0.01 AS DECIMAL(3, 2)) AS DECIMAL(21, 2)) AS input_reading_sum_1d,
    CAST(CAST(CAST(FLOOR((
      source.reading
    ) * 1e1 + 0.5) AS BIGINT) AS DECIMAL(19, 0)) * CAST(0.1 AS DECIMAL(2, 1)) AS DECIMAL(20, 1)) AS input_readings_1d
  FROM {{ source('scale', 'events') }} AS source
), history AS (
  /* events without sensor or a time are left out; an incremental build needs only some of the rest */
  SELECT
    sensor,
    event_at,
    input_reading_max_1d,
    input_reading_mean_1d,
    input_reading_sum_1d,
    input_readings_1d
  FROM events
  WHERE
    NOT sensor IS NULL AND NOT event_at IS NULL AND {{ fsync.is_changed() }}
), changes AS (
  /* an event enters at its instant */
  SELECT
    sensor,
    event_at AS changed_at,
    input_reading_max_1d,
    input_reading_mean_1d,
    input_reading_sum_1d,
    input_readings_1d
  FROM history
  UNION ALL
  /* and leaves the window of 1d at its end */
  SELECT
    sensor,
    event_at + INTERVAL '1' DAYS,
    NULL,
    NULL,
    NULL,
    NULL
  FROM history
), windowed AS (
  /* the value of every feature just after each change */
  SELECT
    sensor,
    changed_at AS valid_from,
    LEAD(changed_at, 1, CAST('9999-12-31' AS TIMESTAMP)) OVER timeline AS valid_to,
    CAST({{ fsync.window_max('input_reading_max_1d', '1d') }} AS DECIMAL(19, 0)) AS reading_max_1d,
    CAST({{ fsync.window_avg('input_reading_mean_1d', '1d') }} AS DOUBLE) AS reading_mean_1d,
    CAST({{ fsync.window_sum('input_reading_sum_1d', '1d') }} AS DECIMAL(38, 2)) AS reading_sum_1d,
    CAST({{ fsync.window_count_distinct('input_readings_1d', '1d') }} AS BIGINT) AS readings_1d
  FROM changes
  WINDOW timeline AS (PARTITION BY sensor ORDER BY changed_at), last_1d AS (
    PARTITION BY sensor
    ORDER BY changed_at
    RANGE BETWEEN INTERVAL '1' DAYS - INTERVAL '1' MILLISECONDS PRECEDING AND CURRENT ROW
  )
)
/* rows of one instant end where they begin, but for the last of them, which has seen all */
SELECT
  sensor,
  valid_from,
  valid_to,
  reading_max_1d,
  reading_mean_1d,
  reading_sum_1d,
  readings_1d
FROM windowed
WHERE
  valid_from < valid_to
