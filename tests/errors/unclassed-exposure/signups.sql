{{ config(materialized='table') }}

with people as (

    select *, lower(email) as lowered
    from {{ source('crm', 'people') }}

)

select
    signups.signup_id,
    people.id as person_id,
    signups.signed_up_at,
    people.lowered as address,
    split_part(people.lowered, '@', 2) as domain,
    people.phone is not null as has_phone,
    right(people.card, 4) as last_digits,
    people.city,
    md5(people.phone) as phone_hash
from {{ ref('raw_signups') }} as signups
inner join people on people.id = signups.person_id and people.email is not null
