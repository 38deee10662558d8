{#
    At most so large a share of a column is NULL: of any model, under its column; or of several columns of one, in one
    scan, each among the rows where it should have a value.

        - fsync.null_ratio: {arguments: {max: 5%}}
        - fsync.null_ratio: {arguments: {columns: {average: {max: 5%, among: orders > 0}}, holding: true}}

    With `holding`, of a validity table, only rows that hold at the instant of the test are counted; with a `population`,
    a condition, only rows that it is true of. Returns a row for each column that has too many: (feature, nulls,
    counted, ratio, max).
#}
{% test null_ratio(model, column_name=none, max='5%', among=none, columns=none, population=none, holding=false, as_of=none) %}
    {%- if not columns and not column_name -%}
        {{ exceptions.raise_compiler_error("null_ratio stands under a column, or has columns") }}
    {%- endif -%}
    {%- set watched = columns or {column_name: {'max': max, 'among': among}} %}
with counted as (

    select
        {% for name, about in watched.items() -%}
        {%- set condition = '(' ~ about.among ~ ')' if about.among else 'true' -%}
        count(*) filter (where {{ condition }}) as counted_{{ loop.index }},
        count(*) filter (where {{ condition }} and {{ name }} is null) as nulls_{{ loop.index }}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ model }}
    where {{ fsync.holds_at(fsync.as_of(as_of)) if holding else 'true' }}
        and {{ '(' ~ population ~ ')' if population else 'true' }}

),

ratios as (

    {% for name, about in watched.items() -%}
    select
        {{ fsync.registry_literal(name) }} as feature,
        nulls_{{ loop.index }} as nulls,
        counted_{{ loop.index }} as counted,
        nulls_{{ loop.index }} / counted_{{ loop.index }} as ratio,
        {{ fsync.share(about.max) }} as max
    from counted
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select *
from ratios
where counted > 0 and ratio > max
{% endtest %}
