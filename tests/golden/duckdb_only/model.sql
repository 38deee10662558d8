-- Compiled by fsync from the specs in feature_specs/: change those, then run `fsync compile`.
--
-- One row for each change of (user_id): as of t, the row with valid_from < t <= valid_to holds.
--
--     before_2nd_1d  window_count(1d) where paid_at < timestamp '2024-1-2' and not isinf(paid_at)
--     bits_1d        window_sum(bit_count(amount) / (amount - 1), 1d)
--     hosts_1d       window_count_distinct(regexp_extract(url, '//([^/]+)', 1), 1d)
--     later_1d       window_max(paid_at + to_microseconds(1999), 1d)
--     padded         lpad(cast(hosts_1d as varchar), 3, '0')
--     roots_1d       window_sum(cbrt(amount), 1d), scale 2
--     secure_1d      window_count(1d) where regexp_matches(url, '^https:')
{{ config(materialized='validity_table') }}

WITH events AS (
  /* what the features read of each event */
  SELECT
    source.user_id AS user_id,
    CASE
      WHEN source.paid_at BETWEEN CAST('0001-01-01' AS TIMESTAMP) AND CAST('9799-12-31' AS TIMESTAMP)
      THEN DATE_TRUNC('MILLISECOND', source.paid_at)
    END AS event_at,
    CASE
      WHEN DATE_TRUNC('MILLISECOND', source.paid_at) < CAST('2024-1-2' AS TIMESTAMP)
      AND NOT ISINF(DATE_TRUNC('MILLISECOND', source.paid_at))
      THEN 1
    END AS input_before_2nd_1d,
    BIT_COUNT(CAST(source.amount AS BIGINT)) / NULLIF((
      CAST(source.amount AS BIGINT) - CAST(1 AS BIGINT)
    ), 0) AS input_bits_1d,
    REGEXP_EXTRACT(source.url, '//([^/]+)', 1) AS input_hosts_1d,
    DATE_TRUNC('MILLISECOND', source.paid_at) + TO_MICROSECONDS(1999) AS input_later_1d,
    CAST(CAST(CAST(FLOOR((
      CBRT(CAST(source.amount AS BIGINT))
    ) * 1e2 + 0.5) AS BIGINT) AS DECIMAL(19, 0)) * CAST(0.01 AS DECIMAL(3, 2)) AS DECIMAL(21, 2)) AS input_roots_1d,
    CASE WHEN REGEXP_MATCHES(source.url, '^https:') THEN 1 END AS input_secure_1d
  FROM {{ source('duckdb_only', 'events') }} AS source
), history AS (
  /* events without user_id or a time are left out; an incremental build needs only some of the rest */
  SELECT
    user_id,
    event_at,
    input_before_2nd_1d,
    input_bits_1d,
    input_hosts_1d,
    input_later_1d,
    input_roots_1d,
    input_secure_1d
  FROM events
  WHERE
    NOT user_id IS NULL AND NOT event_at IS NULL AND {{ fsync.is_changed() }}
), changes AS (
  /* an event enters at its instant, in milliseconds since 1970 */
  SELECT
    user_id,
    EPOCH_MS(event_at) AS changed_at,
    0 AS leaves,
    input_bits_1d,
    input_hosts_1d,
    input_later_1d,
    input_before_2nd_1d AS moved_input_before_2nd_1d,
    input_roots_1d AS moved_input_roots_1d,
    input_secure_1d AS moved_input_secure_1d
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
    input_before_2nd_1d,
    input_roots_1d,
    input_secure_1d
  FROM history
), windowed AS (
  /* the value of every feature just after each change */
  SELECT
    user_id,
    MAKE_TIMESTAMP_MS(changed_at) AS valid_from,
    MAKE_TIMESTAMP_MS(LEAD(changed_at, 1, 253402214400000) OVER timeline) AS valid_to,
    CAST({{ fsync.window_count('moved_input_before_2nd_1d', '1d', leaves=1) }} AS BIGINT) AS before_2nd_1d,
    CAST({{ fsync.window_sum('input_bits_1d', '1d') }} AS DOUBLE) AS bits_1d,
    CAST({{ fsync.window_count_distinct('input_hosts_1d', '1d') }} AS BIGINT) AS hosts_1d,
    CAST(DATE_TRUNC('MILLISECOND', {{ fsync.window_max('input_later_1d', '1d') }}) AS TIMESTAMP) AS later_1d,
    CAST({{ fsync.window_sum('moved_input_roots_1d', '1d', leaves=1) }} AS DECIMAL(38, 2)) AS roots_1d,
    CAST({{ fsync.window_count('moved_input_secure_1d', '1d', leaves=1) }} AS BIGINT) AS secure_1d
  FROM changes
  WINDOW timeline AS (
    PARTITION BY user_id
    ORDER BY changed_at
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  ), last_1d AS (
    PARTITION BY user_id
    ORDER BY changed_at
    RANGE BETWEEN 86399999 PRECEDING AND CURRENT ROW
  )
)
/* rows of one instant end where they begin, but for the last of them, which has seen all */
SELECT
  user_id,
  valid_from,
  valid_to,
  before_2nd_1d,
  bits_1d,
  hosts_1d,
  later_1d,
  CAST(LPAD(CAST(hosts_1d AS TEXT), 3, '0') AS TEXT) AS padded,
  roots_1d,
  secure_1d
FROM windowed
WHERE
  valid_from < valid_to
