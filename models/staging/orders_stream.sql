{{ config(materialized='table') }}

select
    cast(order_id as bigint) as order_id,
    cast(user_id as bigint) as user_id,
    cast(ordered_at as timestamp) as ordered_at,
    cast(quantity as bigint) as quantity,
    cast(amount as decimal(10, 2)) as amount
from {{ source('cdnow', 'orders') }}
