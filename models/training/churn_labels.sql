-- For each customer and the first day of some months: did they buy again within the next 30 days?
{{ config(materialized='table') }}

with moments as (

    select cast(day as timestamp) as label_at
    from (values ('1997-07-01'), ('1997-10-01'), ('1998-01-01'), ('1998-04-01')) as days (day)

),

customers as (

    select user_id, min(ordered_at) as first_ordered_at
    from {{ ref('orders_stream') }}
    group by user_id

)

select
    customers.user_id,
    moments.label_at,
    count(orders.order_id) > 0 as buys_again
from moments
inner join customers on customers.first_ordered_at < moments.label_at
left join {{ ref('orders_stream') }} as orders
    on orders.user_id = customers.user_id
    and orders.ordered_at >= moments.label_at
    and orders.ordered_at < moments.label_at + interval '30' day
group by customers.user_id, moments.label_at
