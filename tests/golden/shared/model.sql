-- Compiled by fsync from the specs in feature_specs/: change those, then run `fsync compile`.
--
-- One row for each change of (user_id): as of t, the row with valid_from < t <= valid_to holds.
--
--     sh_big_first_7d    window_first(amount, 7d) where amount >= 5 or quantity > 2
--     sh_big_last_1d     window_last(channel, 1d) where amount >= 5 or quantity > 2
--     sh_big_ttl_1d      latest(channel) where amount >= 5 or quantity > 2, ttl 1d
--     sh_never           window_max(amount, 7d) where false
--     sh_no_channel_7d   window_count(7d) where channel is null
--     sh_other_spend_7d  window_sum(amount, 7d) where channel <> 'web'
--     sh_recently        lifetime_count() where paid_at >= timestamp '2024-01-08 00:00:00'
--     sh_spend_7d        window_sum(amount, 7d)
--     sh_web_middle_7d   window_median(amount, 7d) where channel = 'web'
--     sh_web_orders_1d   window_count(1d) where channel = 'web'
--     sh_web_orders_7d   window_count(7d) where channel = 'web'
--     sh_web_spend_7d    window_sum(amount, 7d) where channel = 'web'
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
    CAST(source.amount AS DECIMAL(10, 2)) AS amount,
    CASE
      WHEN source.amount >= 5 OR CAST(source.quantity AS BIGINT) > 2
      THEN source.amount
    END AS input_sh_big_first_7d,
    CASE
      WHEN source.amount >= 5 OR CAST(source.quantity AS BIGINT) > 2
      THEN source.channel
    END AS input_sh_big_last_1d,
    CASE WHEN FALSE THEN source.amount END AS input_sh_never,
    CASE WHEN source.channel IS NULL THEN 1 END AS input_sh_no_channel_7d,
    CASE WHEN source.channel <> 'web' THEN CAST(source.amount AS DECIMAL(10, 2)) END AS input_sh_other_spend_7d,
    CASE
      WHEN DATE_TRUNC('MILLISECOND', source.paid_at) >= CAST('2024-01-08 00:00:00.000' AS TIMESTAMP)
      THEN 1
    END AS input_sh_recently,
    CASE WHEN source.channel = 'web' THEN CAST(source.amount AS DECIMAL(10, 2)) END AS input_sh_web_middle_7d,
    CASE WHEN source.channel = 'web' THEN 1 END AS input_sh_web_orders_1d
  FROM {{ source('shared', 'events') }} AS source
), history AS (
  /* events without user_id or a time are left out; an incremental build needs only some of the rest */
  SELECT
    user_id,
    event_at,
    amount,
    input_sh_big_first_7d,
    input_sh_big_last_1d,
    input_sh_never,
    input_sh_no_channel_7d,
    input_sh_other_spend_7d,
    input_sh_recently,
    input_sh_web_middle_7d,
    input_sh_web_orders_1d,
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
    input_sh_big_first_7d,
    input_sh_big_last_1d,
    input_sh_never,
    input_sh_recently,
    input_sh_web_middle_7d,
    event_number,
    amount AS moved_amount,
    input_sh_no_channel_7d AS moved_input_sh_no_channel_7d,
    input_sh_other_spend_7d AS moved_input_sh_other_spend_7d,
    input_sh_web_middle_7d AS moved_input_sh_web_middle_7d,
    input_sh_web_orders_1d AS moved_input_sh_web_orders_1d
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
    amount,
    input_sh_no_channel_7d,
    input_sh_other_spend_7d,
    input_sh_web_middle_7d,
    input_sh_web_orders_1d
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
    amount,
    input_sh_no_channel_7d,
    input_sh_other_spend_7d,
    input_sh_web_middle_7d,
    input_sh_web_orders_1d
  FROM history
), windowed AS (
  /* the value of every feature just after each change */
  SELECT
    user_id,
    MAKE_TIMESTAMP_MS(changed_at) AS valid_from,
    MAKE_TIMESTAMP_MS(LEAD(changed_at, 1, 253402214400000) OVER timeline) AS valid_to,
    CAST({{ fsync.window_first('input_sh_big_first_7d', '7d') }} AS DECIMAL(10, 2)) AS sh_big_first_7d,
    CAST({{ fsync.window_last('input_sh_big_last_1d', '1d') }} AS TEXT) AS sh_big_last_1d,
    CAST({{ fsync.latest('input_sh_big_last_1d', '1d') }} AS TEXT) AS sh_big_ttl_1d,
    CAST({{ fsync.window_max('input_sh_never', '7d') }} AS DECIMAL(10, 2)) AS sh_never,
    CAST({{ fsync.window_count('moved_input_sh_no_channel_7d', '7d', leaves=2) }} AS BIGINT) AS sh_no_channel_7d,
    CAST({{ fsync.window_sum('moved_input_sh_other_spend_7d', '7d', leaves=2) }} AS DECIMAL(38, 2)) AS sh_other_spend_7d,
    CAST({{ fsync.lifetime_count('input_sh_recently') }} AS BIGINT) AS sh_recently,
    CAST({{ fsync.window_sum('moved_amount', '7d', leaves=2) }} AS DECIMAL(38, 2)) AS sh_spend_7d,
    CAST({{ fsync.window_median('input_sh_web_middle_7d', '7d') }} AS DOUBLE) AS sh_web_middle_7d,
    CAST({{ fsync.window_count('moved_input_sh_web_orders_1d', '1d', leaves=1) }} AS BIGINT) AS sh_web_orders_1d,
    CAST({{ fsync.window_count('moved_input_sh_web_orders_1d', '7d', leaves=2) }} AS BIGINT) AS sh_web_orders_7d,
    CAST({{ fsync.window_sum('moved_input_sh_web_middle_7d', '7d', leaves=2) }} AS DECIMAL(38, 2)) AS sh_web_spend_7d
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
  sh_big_first_7d,
  sh_big_last_1d,
  sh_big_ttl_1d,
  sh_never,
  sh_no_channel_7d,
  sh_other_spend_7d,
  sh_recently,
  sh_spend_7d,
  sh_web_middle_7d,
  sh_web_orders_1d,
  sh_web_orders_7d,
  sh_web_spend_7d
FROM windowed
WHERE
  valid_from < valid_to
