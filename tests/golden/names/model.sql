-- Compiled by fsync from the specs in feature_specs/: change those, then run `fsync compile`.
--
-- One row for each change of (user_id): as of t, the row with valid_from < t <= valid_to holds.
--
--     changed_at     window_max(settled, 1d)
--     events_1d      window_sum(events, 1d)
--     key_of_newest  latest(key_order_id)
--     leaves         window_min(source, 1d)
--     newest         latest(order_id)
--     timeline       lifetime_count()
{{ config(materialized='validity_table') }}

WITH events AS (
  /* what the features read of each event */
  SELECT
    source.user_id AS user_id,
    CASE
      WHEN source.paid_at BETWEEN CAST('0001-01-01' AS TIMESTAMP) AND CAST('9799-12-31' AS TIMESTAMP)
      THEN DATE_TRUNC('MILLISECOND', source.paid_at)
    END AS event_at,
    source.order_id AS key_order_id_,
    source.settled AS input_changed_at,
    CAST(source.events AS BIGINT) AS input_events_1d,
    source.key_order_id AS key_order_id,
    source.order_id AS order_id,
    source.source AS source
  FROM {{ source('names', 'events') }} AS source
), history AS (
  /* events without user_id or a time are left out; an incremental build needs only some of the rest */
  SELECT
    user_id,
    event_at,
    input_changed_at,
    input_events_1d,
    key_order_id,
    order_id,
    source,
    ROW_NUMBER() OVER (PARTITION BY user_id ORDER BY event_at, key_order_id_) AS event_number
  FROM events
  WHERE
    NOT user_id IS NULL AND NOT event_at IS NULL AND {{ fsync.is_changed() }}
), changes AS (
  /* an event enters at its instant, in milliseconds since 1970 */
  SELECT
    user_id,
    EPOCH_MS(event_at) AS changed_at,
    0 AS leaves,
    input_changed_at,
    1 AS is_event,
    key_order_id,
    order_id,
    source,
    event_number,
    input_events_1d AS moved_input_events_1d
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
    input_events_1d
  FROM history
), windowed AS (
  /* the value of every feature just after each change */
  SELECT
    user_id,
    MAKE_TIMESTAMP_MS(changed_at) AS valid_from,
    MAKE_TIMESTAMP_MS(LEAD(changed_at, 1, 253402214400000) OVER timeline) AS valid_to,
    CAST({{ fsync.window_max('input_changed_at', '1d') }} AS BIGINT) AS changed_at,
    CAST({{ fsync.window_sum('moved_input_events_1d', '1d', leaves=1) }} AS DECIMAL(38, 0)) AS events_1d,
    CAST({{ fsync.latest('key_order_id') }} AS BIGINT) AS key_of_newest,
    CAST({{ fsync.window_min('source', '1d') }} AS BIGINT) AS leaves,
    CAST({{ fsync.latest('order_id') }} AS BIGINT) AS newest,
    CAST({{ fsync.lifetime_count('is_event') }} AS BIGINT) AS timeline
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
  changed_at,
  events_1d,
  key_of_newest,
  leaves,
  newest,
  timeline
FROM windowed
WHERE
  valid_from < valid_to
