-- Compiled by fsync from the specs in feature_specs/: change those, then run `fsync compile`.
--
-- One row for each change of (country, shop): as of t, the row with valid_from < t <= valid_to holds.
--
--     fine_1d    window_count(1d) where note = 'it''s {{ "{" }}{ fine }}'
--     high_1d    window_max(case when score between 1 and 3 then score else abs(score) / 2 end, 1d)
--     last_note  latest(upper(note)), default "{{ "{" }}# none #}"
--     score_1d   window_sum(score, 1d) where note is null or not note in ('x', '{{ "{" }}% raw %}')
{{ config(materialized='validity_table') }}

WITH events AS (
  /* what the features read of each event */
  SELECT
    source.country AS country,
    CAST(source.shop AS BIGINT) AS shop,
    CASE
      WHEN source.happened AT TIME ZONE 'UTC' BETWEEN CAST('0001-01-01' AS TIMESTAMP) AND CAST('9799-12-31' AS TIMESTAMP)
      THEN DATE_TRUNC('MILLISECOND', source.happened AT TIME ZONE 'UTC')
    END AS event_at,
    source.id AS id,
    CASE WHEN source.note = 'it''s {{ "{" }}{ fine }}' THEN 1 END AS input_fine_1d,
    CASE
      WHEN source.score BETWEEN 1 AND 3
      THEN source.score
      ELSE ABS(source.score) / 2
    END AS input_high_1d,
    UPPER(source.note) AS input_last_note,
    CASE
      WHEN source.note IS NULL OR NOT source.note IN ('x', '{{ "{" }}% raw %}')
      THEN source.score
    END AS input_score_1d
  FROM {{ source('filtered', 'events') }} AS source
), history AS (
  /* events without country, shop or a time are left out; an incremental build needs only some of the rest */
  SELECT
    country,
    shop,
    event_at,
    input_fine_1d,
    input_high_1d,
    input_last_note,
    input_score_1d,
    ROW_NUMBER() OVER (PARTITION BY country, shop ORDER BY event_at, id) AS event_number
  FROM events
  WHERE
    NOT country IS NULL
    AND NOT shop IS NULL
    AND NOT event_at IS NULL
    AND {{ fsync.is_changed() }}
), changes AS (
  /* an event enters at its instant, in milliseconds since 1970 */
  SELECT
    country,
    shop,
    EPOCH_MS(event_at) AS changed_at,
    0 AS leaves,
    input_high_1d,
    input_last_note,
    input_score_1d,
    event_number,
    input_fine_1d AS moved_input_fine_1d
  FROM history
  UNION ALL
  /* and leaves the window of 1d at its end */
  SELECT
    country,
    shop,
    EPOCH_MS(event_at) + 86400000,
    1,
    NULL,
    NULL,
    NULL,
    NULL,
    input_fine_1d
  FROM history
), windowed AS (
  /* the value of every feature just after each change */
  SELECT
    country,
    shop,
    MAKE_TIMESTAMP_MS(changed_at) AS valid_from,
    MAKE_TIMESTAMP_MS(LEAD(changed_at, 1, 253402214400000) OVER timeline) AS valid_to,
    CAST({{ fsync.window_count('moved_input_fine_1d', '1d', leaves=1) }} AS BIGINT) AS fine_1d,
    CAST({{ fsync.window_max('input_high_1d', '1d') }} AS DOUBLE) AS high_1d,
    CAST(COALESCE({{ fsync.latest('input_last_note') }}, '{{ "{" }}# none #}') AS TEXT) AS last_note,
    CAST({{ fsync.window_sum('input_score_1d', '1d') }} AS DOUBLE) AS score_1d
  FROM changes
  WINDOW timeline AS (
    PARTITION BY country, shop
    ORDER BY changed_at
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  ), last_1d AS (
    PARTITION BY country, shop
    ORDER BY changed_at
    RANGE BETWEEN 86399999 PRECEDING AND CURRENT ROW
  ), lifetime AS (
    PARTITION BY country, shop
    ORDER BY changed_at
    RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  )
)
/* rows of one instant end where they begin, but for the last of them, which has seen all */
SELECT
  country,
  shop,
  valid_from,
  valid_to,
  fine_1d,
  high_1d,
  last_note,
  score_1d
FROM windowed
WHERE
  valid_from < valid_to
