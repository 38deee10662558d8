{#
    A validity table is sound: every row has a length, and the rows of an entity follow each other without
    gap or overlap until the end of time. Returns the rows for which that is not so.
#}
{% test validity_table(model, entity) %}

{%- set keys = entity | join(', ') %}

with followed as (

    select
        {{ keys }},
        valid_from,
        valid_to,
        lead(valid_from, 1, cast('9999-12-31' as timestamp)) over (
            partition by {{ keys }}
            order by valid_from
        ) as next_from

    from {{ model }}

)

select *
from followed
where valid_from is null
    or valid_to is null
    or valid_from >= valid_to
    or valid_to <> next_from

{% endtest %}
