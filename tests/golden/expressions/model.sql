-- Compiled by fsync from the specs in feature_specs/: change those, then run `fsync compile`.
--
-- One row for each change of (user_id): as of t, the row with valid_from < t <= valid_to holds.
--
--     ex_big_or_not_ever  lifetime_count_distinct(amount > 5)
--     ex_channels_7d      window_count_distinct(lower(channel), 7d)
--     ex_first_7d         window_first(coalesce(channel, 'none'), 7d)
--     ex_kind_1d          latest(case when quantity between 1 and 2 then 'few' when quantity > 2 then 'many' end), ttl 1d
--     ex_least_7d         window_min(upper(channel), 7d)
--     ex_mean_ratio_7d    window_avg(score / amount, 7d), scale 3
--     ex_price_7d         window_percentile(amount / quantity, 0.9, 7d)
--     ex_size_7d          window_median(abs(amount), 7d)
--     ex_some_7d          window_count(nullif(quantity, 0), 7d)
--     ex_spread_7d        window_stddev(cast(amount as double) * 2 - 1, 7d)
--     ex_was_web_ever     lifetime_last(channel = 'web')
--     ex_web_max_1d       window_max(case when channel = 'web' then amount end, 1d)
--     ex_worth_7d         window_sum(amount * quantity, 7d)
{{ config(materialized='validity_table') }}

WITH events AS (
  /* what the features read of each event */
  SELECT
    source.user_id AS user_id,
    CASE
      WHEN source.paid_at BETWEEN CAST('0001-01-01' AS TIMESTAMP) AND CAST('9799-12-31' AS TIMESTAMP)
      THEN DATE_TRUNC('MILLISECOND', source.paid_at)
    END AS event_at,
    source.order_id AS order_id,
    source.amount > 5 AS input_ex_big_or_not_ever,
    LOWER(source.channel) AS input_ex_channels_7d,
    COALESCE(source.channel, 'none') AS input_ex_first_7d,
    CASE
      WHEN CAST(source.quantity AS BIGINT) BETWEEN 1 AND 2
      THEN 'few'
      WHEN CAST(source.quantity AS BIGINT) > 2
      THEN 'many'
    END AS input_ex_kind_1d,
    UPPER(source.channel) AS input_ex_least_7d,
    CAST(CAST(CAST(FLOOR((
      source.score / NULLIF(source.amount, 0)
    ) * 1e3 + 0.5) AS BIGINT) AS DECIMAL(19, 0)) * CAST(0.001 AS DECIMAL(4, 3)) AS DECIMAL(22, 3)) AS input_ex_mean_ratio_7d,
    source.amount / NULLIF(CAST(source.quantity AS BIGINT), 0) AS input_ex_price_7d,
    ABS(source.amount) AS input_ex_size_7d,
    CAST(NULLIF(CAST(source.quantity AS BIGINT), 0) AS BIGINT) AS input_ex_some_7d,
    CAST(source.amount AS DOUBLE) * CAST(2 AS BIGINT) - CAST(1 AS BIGINT) AS input_ex_spread_7d,
    source.channel = 'web' AS input_ex_was_web_ever,
    CASE WHEN source.channel = 'web' THEN source.amount END AS input_ex_web_max_1d,
    CAST(source.amount * CAST(source.quantity AS BIGINT) AS DECIMAL(29, 2)) AS input_ex_worth_7d
  FROM {{ source('expressions', 'events') }} AS source
), history AS (
  /* events without user_id or a time are left out; an incremental build needs only some of the rest */
  SELECT
    user_id,
    event_at,
    input_ex_big_or_not_ever,
    input_ex_channels_7d,
    input_ex_first_7d,
    input_ex_kind_1d,
    input_ex_least_7d,
    input_ex_mean_ratio_7d,
    input_ex_price_7d,
    input_ex_size_7d,
    input_ex_some_7d,
    input_ex_spread_7d,
    input_ex_was_web_ever,
    input_ex_web_max_1d,
    input_ex_worth_7d,
    ROW_NUMBER() OVER (PARTITION BY user_id ORDER BY event_at, order_id) AS event_number
  FROM events
  WHERE
    NOT user_id IS NULL AND NOT event_at IS NULL AND {{ fsync.is_changed() }}
), changes AS (
  /* an event enters at its instant, in milliseconds since 1970 */
  SELECT
    user_id,
    EPOCH_MS(event_at) AS changed_at,
    0 AS leaves,
    input_ex_big_or_not_ever,
    input_ex_channels_7d,
    input_ex_first_7d,
    input_ex_kind_1d,
    input_ex_least_7d,
    input_ex_price_7d,
    input_ex_size_7d,
    input_ex_spread_7d,
    input_ex_was_web_ever,
    input_ex_web_max_1d,
    event_number,
    input_ex_mean_ratio_7d AS moved_input_ex_mean_ratio_7d,
    input_ex_some_7d AS moved_input_ex_some_7d,
    input_ex_worth_7d AS moved_input_ex_worth_7d
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
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    input_ex_mean_ratio_7d,
    input_ex_some_7d,
    input_ex_worth_7d
  FROM history
  UNION ALL
  /* and leaves the window of 7d at its end */
  SELECT
    user_id,
    EPOCH_MS(event_at) + 604800000,
    2,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    input_ex_mean_ratio_7d,
    input_ex_some_7d,
    input_ex_worth_7d
  FROM history
), windowed AS (
  /* the value of every feature just after each change */
  SELECT
    user_id,
    MAKE_TIMESTAMP_MS(changed_at) AS valid_from,
    MAKE_TIMESTAMP_MS(LEAD(changed_at, 1, 253402214400000) OVER timeline) AS valid_to,
    CAST({{ fsync.lifetime_count_distinct('input_ex_big_or_not_ever') }} AS BIGINT) AS ex_big_or_not_ever,
    CAST({{ fsync.window_count_distinct('input_ex_channels_7d', '7d') }} AS BIGINT) AS ex_channels_7d,
    CAST({{ fsync.window_first('input_ex_first_7d', '7d') }} AS TEXT) AS ex_first_7d,
    CAST({{ fsync.latest('input_ex_kind_1d', '1d') }} AS TEXT) AS ex_kind_1d,
    CAST({{ fsync.window_min('input_ex_least_7d', '7d') }} AS TEXT) AS ex_least_7d,
    CAST({{ fsync.window_avg('moved_input_ex_mean_ratio_7d', '7d', leaves=2) }} AS DOUBLE) AS ex_mean_ratio_7d,
    CAST({{ fsync.window_percentile('input_ex_price_7d', '0.9', '7d') }} AS DOUBLE) AS ex_price_7d,
    CAST({{ fsync.window_median('input_ex_size_7d', '7d') }} AS DOUBLE) AS ex_size_7d,
    CAST({{ fsync.window_count('moved_input_ex_some_7d', '7d', leaves=2) }} AS BIGINT) AS ex_some_7d,
    CAST({{ fsync.window_stddev('input_ex_spread_7d', '7d') }} AS DOUBLE) AS ex_spread_7d,
    CAST({{ fsync.lifetime_last('input_ex_was_web_ever') }} AS BOOLEAN) AS ex_was_web_ever,
    CAST({{ fsync.window_max('input_ex_web_max_1d', '1d') }} AS DECIMAL(10, 2)) AS ex_web_max_1d,
    CAST({{ fsync.window_sum('moved_input_ex_worth_7d', '7d', leaves=2) }} AS DECIMAL(38, 2)) AS ex_worth_7d
  FROM changes
  WINDOW timeline AS (
    PARTITION BY user_id
    ORDER BY changed_at
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  ), last_1d AS (
    PARTITION BY user_id
    ORDER BY changed_at
    RANGE BETWEEN 86399999 PRECEDING AND CURRENT ROW
  ), last_7d AS (
    PARTITION BY user_id
    ORDER BY changed_at
    RANGE BETWEEN 604799999 PRECEDING AND CURRENT ROW
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
  ex_big_or_not_ever,
  ex_channels_7d,
  ex_first_7d,
  ex_kind_1d,
  ex_least_7d,
  ex_mean_ratio_7d,
  ex_price_7d,
  ex_size_7d,
  ex_some_7d,
  ex_spread_7d,
  ex_was_web_ever,
  ex_web_max_1d,
  ex_worth_7d
FROM windowed
WHERE
  valid_from < valid_to
