-- Compiled by fsync from the specs in feature_specs/: change those, then run `fsync compile`.
--
-- One row for each change of (tenant, session, joined): as of t, the row with valid_from < t <= valid_to holds.
--
--     co_first_joined  lifetime_first(joined)
--     co_last_tenant   latest(tenant)
--     co_orders_1d     window_count(1d)
--     co_sessions_1d   window_count_distinct(session, 1d)
{{ config(materialized='validity_table') }}

WITH events AS (
  /* what the features read of each event */
  SELECT
    source.tenant AS tenant,
    source.session AS session,
    source.joined AS joined,
    CASE
      WHEN source.paid_at BETWEEN CAST('0001-01-01' AS TIMESTAMP) AND CAST('9799-12-31' AS TIMESTAMP)
      THEN DATE_TRUNC('MILLISECOND', source.paid_at)
    END AS event_at,
    source.order_id AS order_id,
    source.joined AS input_co_first_joined,
    source.tenant AS input_co_last_tenant,
    source.session AS input_co_sessions_1d
  FROM {{ source('composite', 'events') }} AS source
), history AS (
  /* events without tenant, session, joined or a time are left out; an incremental build needs only some of the rest */
  SELECT
    tenant,
    session,
    joined,
    event_at,
    input_co_first_joined,
    input_co_last_tenant,
    input_co_sessions_1d,
    ROW_NUMBER() OVER (PARTITION BY tenant, session, joined ORDER BY event_at, order_id) AS event_number
  FROM events
  WHERE
    NOT tenant IS NULL
    AND NOT session IS NULL
    AND NOT joined IS NULL
    AND NOT event_at IS NULL
    AND {{ fsync.is_changed() }}
), changes AS (
  /* an event enters at its instant, in milliseconds since 1970 */
  SELECT
    tenant,
    session,
    joined,
    EPOCH_MS(event_at) AS changed_at,
    0 AS leaves,
    input_co_first_joined,
    input_co_last_tenant,
    input_co_sessions_1d,
    event_number
  FROM history
  UNION ALL
  /* and leaves the window of 1d at its end */
  SELECT
    tenant,
    session,
    joined,
    EPOCH_MS(event_at) + 86400000,
    1,
    NULL,
    NULL,
    NULL,
    NULL
  FROM history
), windowed AS (
  /* the value of every feature just after each change */
  SELECT
    tenant,
    session,
    joined,
    MAKE_TIMESTAMP_MS(changed_at) AS valid_from,
    MAKE_TIMESTAMP_MS(LEAD(changed_at, 1, 253402214400000) OVER timeline) AS valid_to,
    CAST({{ fsync.lifetime_first('input_co_first_joined') }} AS DATE) AS co_first_joined,
    CAST({{ fsync.latest('input_co_last_tenant') }} AS TEXT) AS co_last_tenant,
    CAST({{ fsync.window_count('1', '1d', leaves=1) }} AS BIGINT) AS co_orders_1d,
    CAST({{ fsync.window_count_distinct('input_co_sessions_1d', '1d') }} AS BIGINT) AS co_sessions_1d
  FROM changes
  WINDOW timeline AS (
    PARTITION BY tenant, session, joined
    ORDER BY changed_at
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  ), last_1d AS (
    PARTITION BY tenant, session, joined
    ORDER BY changed_at
    RANGE BETWEEN 86399999 PRECEDING AND CURRENT ROW
  ), lifetime AS (
    PARTITION BY tenant, session, joined
    ORDER BY changed_at
    RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  )
)
/* rows of one instant end where they begin, but for the last of them, which has seen all */
SELECT
  tenant,
  session,
  joined,
  valid_from,
  valid_to,
  co_first_joined,
  co_last_tenant,
  co_orders_1d,
  co_sessions_1d
FROM windowed
WHERE
  valid_from < valid_to
