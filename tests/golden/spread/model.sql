-- Compiled by fsync from the specs in feature_specs/: change those, then run `fsync compile`.
--
-- One row for each change of (user_id): as of t, the row with valid_from < t <= valid_to holds.
--
--     median_7d         window_median(amount, 7d)
--     p0_7d             window_percentile(amount, 0, 7d)
--     p100_ever         lifetime_percentile(case when quantity > 1 then amount else 0 end, 1)
--     p90_7d            window_percentile(amount, 0.90, 7d)
--     paid_products_7d  window_count_distinct(lower(product), 7d) where amount > 0
--     products_7d       window_count_distinct(product, 7d)
--     skew_7d           median_7d / p90_7d
--     skewed            case when skew_7d < 0.5 then 'yes' else 'no' end
--     stddev_7d         window_stddev(amount, 7d)
--     stddev_ever       lifetime_stddev(amount * quantity), default -1
{{ config(materialized='validity_table') }}

WITH events AS (
  /* what the features read of each event */
  SELECT
    source.user_id AS user_id,
    CASE
      WHEN source.paid_at BETWEEN CAST('0001-01-01' AS TIMESTAMP) AND CAST('9799-12-31' AS TIMESTAMP)
      THEN DATE_TRUNC('MILLISECOND', source.paid_at)
    END AS event_at,
    source.amount AS amount,
    CASE WHEN CAST(source.quantity AS BIGINT) > 1 THEN source.amount ELSE 0 END AS input_p100_ever,
    CASE WHEN source.amount > 0 THEN LOWER(source.product) END AS input_paid_products_7d,
    source.amount * CAST(source.quantity AS BIGINT) AS input_stddev_ever,
    source.product AS product
  FROM {{ source('spread', 'events') }} AS source
), history AS (
  /* events without user_id or a time are left out; an incremental build needs only some of the rest */
  SELECT
    user_id,
    event_at,
    amount,
    input_p100_ever,
    input_paid_products_7d,
    input_stddev_ever,
    product
  FROM events
  WHERE
    NOT user_id IS NULL AND NOT event_at IS NULL AND {{ fsync.is_changed() }}
), changes AS (
  /* an event enters at its instant */
  SELECT
    user_id,
    event_at AS changed_at,
    amount,
    input_p100_ever,
    input_paid_products_7d,
    input_stddev_ever,
    product
  FROM history
  UNION ALL
  /* and leaves the window of 7d at its end */
  SELECT
    user_id,
    event_at + INTERVAL '7' DAYS,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL
  FROM history
), windowed AS (
  /* the value of every feature just after each change */
  SELECT
    user_id,
    changed_at AS valid_from,
    LEAD(changed_at, 1, CAST('9999-12-31' AS TIMESTAMP)) OVER timeline AS valid_to,
    CAST({{ fsync.window_median('amount', '7d') }} AS DOUBLE) AS median_7d,
    CAST({{ fsync.window_percentile('amount', '0', '7d') }} AS DOUBLE) AS p0_7d,
    CAST({{ fsync.lifetime_percentile('input_p100_ever', '1') }} AS DOUBLE) AS p100_ever,
    CAST({{ fsync.window_percentile('amount', '0.90', '7d') }} AS DOUBLE) AS p90_7d,
    CAST({{ fsync.window_count_distinct('input_paid_products_7d', '7d') }} AS BIGINT) AS paid_products_7d,
    CAST({{ fsync.window_count_distinct('product', '7d') }} AS BIGINT) AS products_7d,
    CAST({{ fsync.window_stddev('amount', '7d') }} AS DOUBLE) AS stddev_7d,
    CAST(COALESCE({{ fsync.lifetime_stddev('input_stddev_ever') }}, -1.0) AS DOUBLE) AS stddev_ever
  FROM changes
  WINDOW timeline AS (PARTITION BY user_id ORDER BY changed_at), last_7d AS (
    PARTITION BY user_id
    ORDER BY changed_at
    RANGE BETWEEN INTERVAL '7' DAYS - INTERVAL '1' MILLISECONDS PRECEDING AND CURRENT ROW
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
  median_7d,
  p0_7d,
  p100_ever,
  p90_7d,
  paid_products_7d,
  products_7d,
  CAST(median_7d / NULLIF(p90_7d, 0) AS DOUBLE) AS skew_7d,
  CAST(CASE WHEN (
    median_7d / NULLIF(p90_7d, 0)
  ) < 0.5 THEN 'yes' ELSE 'no' END AS TEXT) AS skewed,
  stddev_7d,
  stddev_ever
FROM windowed
WHERE
  valid_from < valid_to
