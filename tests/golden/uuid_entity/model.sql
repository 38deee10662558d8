-- Compiled by fsync from the specs in feature_specs/: change those, then run `fsync compile`.
--
-- One row for each change of (session): as of t, the row with valid_from < t <= valid_to holds.
-- Values change only every 1h.
--
--     ue_first_order  lifetime_first(order_id)
--     ue_orders_2h    window_count(2h)
{{ config(materialized='validity_table') }}

WITH events AS (
  /* what the features read of each event */
  SELECT
    source.session AS session,
    CASE
      WHEN source.paid_at BETWEEN CAST('0001-01-01' AS TIMESTAMP) AND CAST('9799-12-31' AS TIMESTAMP)
      THEN TIME_BUCKET(
        INTERVAL '1' HOURS,
        DATE_TRUNC('MILLISECOND', source.paid_at),
        CAST('1970-01-01' AS TIMESTAMP)
      ) + INTERVAL '1' HOURS
    END AS event_at,
    DATE_TRUNC('MILLISECOND', source.paid_at) AS happened_at,
    source.order_id AS key_order_id,
    source.order_id AS order_id
  FROM {{ source('uuid_entity', 'events') }} AS source
), history AS (
  /* events without session or a time are left out; an incremental build needs only some of the rest */
  SELECT
    session,
    event_at,
    order_id,
    ROW_NUMBER() OVER (PARTITION BY session ORDER BY happened_at, key_order_id) AS event_number
  FROM events
  WHERE
    NOT session IS NULL AND NOT event_at IS NULL AND {{ fsync.is_changed() }}
), changes AS (
  /* an event enters at the next multiple of 1h */
  SELECT
    session,
    EPOCH_MS(event_at) AS changed_at,
    0 AS leaves,
    order_id,
    event_number
  FROM history
  UNION ALL
  /* and leaves the window of 2h at its end */
  SELECT
    session,
    EPOCH_MS(event_at) + 7200000,
    1,
    NULL,
    NULL
  FROM history
), windowed AS (
  /* the value of every feature just after each change */
  SELECT
    session,
    MAKE_TIMESTAMP_MS(changed_at) AS valid_from,
    MAKE_TIMESTAMP_MS(LEAD(changed_at, 1, 253402214400000) OVER timeline) AS valid_to,
    CAST({{ fsync.lifetime_first('order_id') }} AS UUID) AS ue_first_order,
    CAST({{ fsync.window_count('1', '2h', leaves=1) }} AS BIGINT) AS ue_orders_2h
  FROM changes
  WINDOW timeline AS (
    PARTITION BY session
    ORDER BY changed_at
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  ), lifetime AS (
    PARTITION BY session
    ORDER BY changed_at
    RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  )
)
/* rows of one instant end where they begin, but for the last of them, which has seen all */
SELECT
  session,
  valid_from,
  valid_to,
  ue_first_order,
  ue_orders_2h
FROM windowed
WHERE
  valid_from < valid_to
