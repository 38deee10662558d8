-- Compiled by fsync from the specs in feature_specs/: change those, then run `fsync compile`.
--
-- One row for each change of (session, cohort): as of t, the row with valid_from < t <= valid_to holds.
--
--     big_2d          window_sum(big, 2d)
--     first_seen_30d  window_min(seen, 30d), default "1970-01-01T01:00:00+01:00"
--     flagged_ever    lifetime_count() where flag
--     last_flag       latest(flag), default true
--     last_seen       latest(seen)
--     last_session    latest(session)
--     ratio_1d        window_sum(RATIO, 1d)
{{ config(materialized='validity_table') }}

WITH events AS (
  /* what the features read of each event */
  SELECT
    source.session AS session,
    source.cohort AS cohort,
    CASE
      WHEN CAST(source.day AS DATE) BETWEEN CAST('0001-01-01' AS TIMESTAMP) AND CAST('9799-12-31' AS TIMESTAMP)
      THEN DATE_TRUNC('MILLISECOND', CAST(source.day AS DATE))
    END AS event_at,
    source.id AS id,
    CAST(source.big AS BIGINT) AS big,
    source.flag AS flag,
    CASE WHEN source.flag THEN 1 END AS input_flagged_ever,
    source.session AS input_last_session,
    CAST(source.ratio AS DOUBLE) AS ratio,
    DATE_TRUNC('MILLISECOND', source.seen AT TIME ZONE 'UTC') AS seen
  FROM {{ source('dated', 'events') }} AS source
), history AS (
  /* events without session, cohort or a time are left out; an incremental build needs only some of the rest */
  SELECT
    session,
    cohort,
    event_at,
    big,
    flag,
    input_flagged_ever,
    input_last_session,
    ratio,
    seen,
    ROW_NUMBER() OVER (PARTITION BY session, cohort ORDER BY event_at, id) AS event_number
  FROM events
  WHERE
    NOT session IS NULL
    AND NOT cohort IS NULL
    AND NOT event_at IS NULL
    AND {{ fsync.is_changed() }}
), changes AS (
  /* an event enters at its instant, in milliseconds since 1970 */
  SELECT
    session,
    cohort,
    EPOCH_MS(event_at) AS changed_at,
    0 AS leaves,
    flag,
    input_flagged_ever,
    input_last_session,
    ratio,
    seen,
    event_number,
    big AS moved_big
  FROM history
  UNION ALL
  /* and leaves the window of 1d at its end */
  SELECT
    session,
    cohort,
    EPOCH_MS(event_at) + 86400000,
    1,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    big
  FROM history
  UNION ALL
  /* and leaves the window of 2d at its end */
  SELECT
    session,
    cohort,
    EPOCH_MS(event_at) + 172800000,
    2,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    big
  FROM history
  UNION ALL
  /* and leaves the window of 30d at its end */
  SELECT
    session,
    cohort,
    EPOCH_MS(event_at) + 2592000000,
    3,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    big
  FROM history
), windowed AS (
  /* the value of every feature just after each change */
  SELECT
    session,
    cohort,
    MAKE_TIMESTAMP_MS(changed_at) AS valid_from,
    MAKE_TIMESTAMP_MS(LEAD(changed_at, 1, 253402214400000) OVER timeline) AS valid_to,
    CAST({{ fsync.window_sum('moved_big', '2d', leaves=2) }} AS DECIMAL(38, 0)) AS big_2d,
    CAST(COALESCE(
      {{ fsync.window_min('seen', '30d') }},
      CAST('1970-01-01 00:00:00.000' AS TIMESTAMP)
    ) AS TIMESTAMP) AS first_seen_30d,
    CAST({{ fsync.lifetime_count('input_flagged_ever') }} AS BIGINT) AS flagged_ever,
    CAST(COALESCE({{ fsync.latest('flag') }}, TRUE) AS BOOLEAN) AS last_flag,
    CAST({{ fsync.latest('seen') }} AS TIMESTAMP) AS last_seen,
    CAST({{ fsync.latest('input_last_session') }} AS UUID) AS last_session,
    CAST({{ fsync.window_sum('ratio', '1d') }} AS DOUBLE) AS ratio_1d
  FROM changes
  WINDOW timeline AS (
    PARTITION BY session, cohort
    ORDER BY changed_at
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  ), last_1d AS (
    PARTITION BY session, cohort
    ORDER BY changed_at
    RANGE BETWEEN 86399999 PRECEDING AND CURRENT ROW
  ), last_30d AS (
    PARTITION BY session, cohort
    ORDER BY changed_at
    RANGE BETWEEN 2591999999 PRECEDING AND CURRENT ROW
  ), lifetime AS (
    PARTITION BY session, cohort
    ORDER BY changed_at
    RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  )
)
/* rows of one instant end where they begin, but for the last of them, which has seen all */
SELECT
  session,
  cohort,
  valid_from,
  valid_to,
  big_2d,
  first_seen_30d,
  flagged_ever,
  last_flag,
  last_seen,
  last_session,
  ratio_1d
FROM windowed
WHERE
  valid_from < valid_to
