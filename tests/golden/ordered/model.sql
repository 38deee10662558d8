-- Compiled by fsync from the specs in feature_specs/: change those, then run `fsync compile`.
--
-- One row for each change of (day): as of t, the row with valid_from < t <= valid_to holds.
--
--     first_2d            window_first(channel, 2d)
--     first_ever          lifetime_first(channel), default "none"
--     last_2d             window_last(channel, 2d)
--     last_ever           lifetime_last(channel)
--     last_page_1d        latest(page), ttl 1d, default "none"
--     last_shop_visit_2d  latest(visit) where channel = 'shop', ttl 2d
--     returned            first_2d = last_2d
{{ config(materialized='validity_table') }}

WITH events AS (
  /* what the features read of each event */
  SELECT
    source.day AS day,
    CASE
      WHEN source.seen_at BETWEEN CAST('0001-01-01' AS TIMESTAMP) AND CAST('9799-12-31' AS TIMESTAMP)
      THEN DATE_TRUNC('MILLISECOND', source.seen_at)
    END AS event_at,
    source.page AS key_page,
    source.visit AS visit,
    source.channel AS channel,
    CASE WHEN source.channel = 'shop' THEN CAST(source.visit AS BIGINT) END AS input_last_shop_visit_2d,
    source.page AS page
  FROM {{ source('ordered', 'events') }} AS source
), history AS (
  /* events without day or a time are left out; an incremental build needs only some of the rest */
  SELECT
    day,
    event_at,
    channel,
    input_last_shop_visit_2d,
    page,
    ROW_NUMBER() OVER (PARTITION BY day ORDER BY event_at, key_page, visit) AS event_number
  FROM events
  WHERE
    NOT day IS NULL AND NOT event_at IS NULL AND {{ fsync.is_changed() }}
), changes AS (
  /* an event enters at its instant */
  SELECT
    day,
    event_at AS changed_at,
    channel,
    input_last_shop_visit_2d,
    page,
    event_number
  FROM history
  UNION ALL
  /* and leaves the window of 1d at its end */
  SELECT
    day,
    event_at + INTERVAL '1' DAYS,
    NULL,
    NULL,
    NULL,
    NULL
  FROM history
  UNION ALL
  /* and leaves the window of 2d at its end */
  SELECT
    day,
    event_at + INTERVAL '2' DAYS,
    NULL,
    NULL,
    NULL,
    NULL
  FROM history
), windowed AS (
  /* the value of every feature just after each change */
  SELECT
    day,
    changed_at AS valid_from,
    LEAD(changed_at, 1, CAST('9999-12-31' AS TIMESTAMP)) OVER timeline AS valid_to,
    CAST({{ fsync.window_first('channel', '2d') }} AS TEXT) AS first_2d,
    CAST(COALESCE({{ fsync.lifetime_first('channel') }}, 'none') AS TEXT) AS first_ever,
    CAST({{ fsync.window_last('channel', '2d') }} AS TEXT) AS last_2d,
    CAST({{ fsync.lifetime_last('channel') }} AS TEXT) AS last_ever,
    CAST(COALESCE({{ fsync.latest('page', '1d') }}, 'none') AS TEXT) AS last_page_1d,
    CAST({{ fsync.latest('input_last_shop_visit_2d', '2d') }} AS BIGINT) AS last_shop_visit_2d
  FROM changes
  WINDOW timeline AS (PARTITION BY day ORDER BY changed_at), last_1d AS (
    PARTITION BY day
    ORDER BY changed_at
    RANGE BETWEEN INTERVAL '1' DAYS - INTERVAL '1' MILLISECONDS PRECEDING AND CURRENT ROW
  ), last_2d AS (
    PARTITION BY day
    ORDER BY changed_at
    RANGE BETWEEN INTERVAL '2' DAYS - INTERVAL '1' MILLISECONDS PRECEDING AND CURRENT ROW
  ), lifetime AS (
    PARTITION BY day
    ORDER BY changed_at
    RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  )
)
/* rows of one instant end where they begin, but for the last of them, which has seen all */
SELECT
  day,
  valid_from,
  valid_to,
  first_2d,
  first_ever,
  last_2d,
  last_ever,
  last_page_1d,
  last_shop_visit_2d,
  CAST(first_2d = last_2d AS BOOLEAN) AS returned
FROM windowed
WHERE
  valid_from < valid_to
