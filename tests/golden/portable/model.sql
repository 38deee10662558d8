-- Compiled by fsync from the specs in feature_specs/: change those, then run `fsync compile`.
--
-- One row for each change of (shop): as of t, the row with valid_from < t <= valid_to holds.
--
--     best_1d     window_max(greatest(price, 1, pieces), 1d)
--     early_1d    window_count(1d) where extract(hour from happened) < 12 and day is not null
--     rest_1d     window_sum(price % (pieces - 2), 1d)
--     root_1d     window_max(sqrt(price), 1d)
--     rounded_1d  round(squares_1d, 1) + floor(early_1d)
--     sales_1d    window_count(1d) where lower(note) like '{{ "{" }}% sale_' or starts_with(note, '{{ "{" }}{')
--     squares_1d  window_sum(price * price, 1d)
--     waited_1d   window_max(date_diff('hour', day, happened), 1d)
--     week        latest(cast(cast(date_trunc('week', happened) as date) as varchar) || '/' || trim(note))
--     whole_1d    cast(floor(best_1d) as bigint) % 7
{{ config(materialized='validity_table') }}

WITH events AS (
  /* what the features read of each event */
  SELECT
    CAST(source.shop AS BIGINT) AS shop,
    CASE
      WHEN source.happened BETWEEN CAST('0001-01-01' AS TIMESTAMP) AND CAST('9799-12-31' AS TIMESTAMP)
      THEN DATE_TRUNC('MILLISECOND', source.happened)
    END AS event_at,
    source.id AS id,
    GREATEST(source.price, CAST(1 AS BIGINT), CAST(source.pieces AS BIGINT)) AS input_best_1d,
    CASE
      WHEN EXTRACT(HOUR FROM DATE_TRUNC('MILLISECOND', source.happened)) < 12
      AND NOT source.day IS NULL
      THEN 1
    END AS input_early_1d,
    CAST(source.price % NULLIF((
      CAST(source.pieces AS BIGINT) - CAST(2 AS BIGINT)
    ), 0) AS DECIMAL(21, 2)) AS input_rest_1d,
    CASE WHEN source.price >= 0 THEN SQRT(source.price) END AS input_root_1d,
    CASE
      WHEN LOWER(source.note) LIKE '{{ "{" }}% sale_'
      OR STARTS_WITH(source.note, '{{ "{" }}{')
      THEN 1
    END AS input_sales_1d,
    CAST(CAST(CAST(source.price AS DECIMAL(20, 2)) * source.price AS DECIMAL(20, 4)) AS DECIMAL(20, 4)) AS input_squares_1d,
    DATE_DIFF('HOUR', source.day, DATE_TRUNC('MILLISECOND', source.happened)) AS input_waited_1d,
    CAST(CAST(DATE_TRUNC('WEEK', DATE_TRUNC('MILLISECOND', source.happened)) AS DATE) AS TEXT) || '/' || TRIM(source.note, ' ') AS input_week
  FROM {{ source('portable', 'events') }} AS source
), history AS (
  /* events without shop or a time are left out; an incremental build needs only some of the rest */
  SELECT
    shop,
    event_at,
    input_best_1d,
    input_early_1d,
    input_rest_1d,
    input_root_1d,
    input_sales_1d,
    input_squares_1d,
    input_waited_1d,
    input_week,
    ROW_NUMBER() OVER (PARTITION BY shop ORDER BY event_at, id) AS event_number
  FROM events
  WHERE
    NOT shop IS NULL AND NOT event_at IS NULL AND {{ fsync.is_changed() }}
), changes AS (
  /* an event enters at its instant, in milliseconds since 1970 */
  SELECT
    shop,
    EPOCH_MS(event_at) AS changed_at,
    0 AS leaves,
    input_best_1d,
    input_root_1d,
    input_waited_1d,
    input_week,
    event_number,
    input_early_1d AS moved_input_early_1d,
    input_rest_1d AS moved_input_rest_1d,
    input_sales_1d AS moved_input_sales_1d,
    input_squares_1d AS moved_input_squares_1d
  FROM history
  UNION ALL
  /* and leaves the window of 1d at its end */
  SELECT
    shop,
    EPOCH_MS(event_at) + 86400000,
    1,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    input_early_1d,
    input_rest_1d,
    input_sales_1d,
    input_squares_1d
  FROM history
), windowed AS (
  /* the value of every feature just after each change */
  SELECT
    shop,
    MAKE_TIMESTAMP_MS(changed_at) AS valid_from,
    MAKE_TIMESTAMP_MS(LEAD(changed_at, 1, 253402214400000) OVER timeline) AS valid_to,
    CAST({{ fsync.window_max('input_best_1d', '1d') }} AS DECIMAL(21, 2)) AS best_1d,
    CAST({{ fsync.window_count('moved_input_early_1d', '1d', leaves=1) }} AS BIGINT) AS early_1d,
    CAST({{ fsync.window_sum('moved_input_rest_1d', '1d', leaves=1) }} AS DECIMAL(38, 2)) AS rest_1d,
    CAST({{ fsync.window_max('input_root_1d', '1d') }} AS DOUBLE) AS root_1d,
    CAST({{ fsync.window_count('moved_input_sales_1d', '1d', leaves=1) }} AS BIGINT) AS sales_1d,
    CAST({{ fsync.window_sum('moved_input_squares_1d', '1d', leaves=1) }} AS DECIMAL(38, 4)) AS squares_1d,
    CAST({{ fsync.window_max('input_waited_1d', '1d') }} AS BIGINT) AS waited_1d,
    CAST({{ fsync.latest('input_week') }} AS TEXT) AS week
  FROM changes
  WINDOW timeline AS (
    PARTITION BY shop
    ORDER BY changed_at
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  ), last_1d AS (
    PARTITION BY shop
    ORDER BY changed_at
    RANGE BETWEEN 86399999 PRECEDING AND CURRENT ROW
  ), lifetime AS (
    PARTITION BY shop
    ORDER BY changed_at
    RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  )
)
/* rows of one instant end where they begin, but for the last of them, which has seen all */
SELECT
  shop,
  valid_from,
  valid_to,
  best_1d,
  early_1d,
  rest_1d,
  root_1d,
  CAST(ROUND(squares_1d, 1) + early_1d AS DECIMAL(38, 1)) AS rounded_1d,
  sales_1d,
  squares_1d,
  waited_1d,
  week,
  CAST(CAST(FLOOR(best_1d) AS BIGINT) % 7 AS BIGINT) AS whole_1d
FROM windowed
WHERE
  valid_from < valid_to
