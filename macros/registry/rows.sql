{# Rows of texts, numbers and NULLs as a query with typed columns: of no rows too. `columns` are (name, type). #}
{% macro registry_rows(columns, rows) %}
select
    {%- for name, type in columns %}
    cast({{ 'column' ~ loop.index0 }} as {{ type }}) as {{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
from (
    values
    {%- for row in rows %}
    ({% for value in row %}{{ fsync.registry_literal(value) }}{{ ', ' if not loop.last }}{% endfor %}){{ ',' if not loop.last }}
    {%- else %}
    ({% for _ in columns %}null{{ ', ' if not loop.last }}{% endfor %})
    {%- endfor %}
) as given ({% for _ in columns %}{{ 'column' ~ loop.index0 }}{{ ', ' if not loop.last }}{% endfor %})
{%- if not rows %}
where false
{%- endif %}
{% endmacro %}


{# A value as a literal. Lists are one text, with commas. #}
{% macro registry_literal(value) %}
    {%- if value is none -%}null
    {%- elif value is boolean -%}{{ 'true' if value else 'false' }}
    {%- elif value is number -%}{{ value }}
    {%- else -%}
        {%- set text = value if value is string else value | join(', ') -%}
        '{{ text | string | replace("'", "''") }}'
    {%- endif -%}
{% endmacro %}


{# The feature views that dbt knows, compiled or by hand: (model, its meta), in the order of their names. #}
{% macro registry_views_known() %}
    {%- set found = [] -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' -%}
        {%- set about = node.config.get('meta', {}).get('fsync', {}) -%}
        {%- if about is mapping and about.get('hash') and about.get('entity') -%}
            {%- do found.append({'name': node.name, 'node': node, 'about': about}) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(found | sort(attribute='name')) }}
{% endmacro %}


{# What a column's meta says for fsync. #}
{% macro registry_column(column) %}
    {%- set metas = [column.get('meta', {}), column.get('config', {}).get('meta', {})] -%}
    {%- set found = {} -%}
    {%- for meta in metas -%}{%- do found.update(meta.get('fsync', {})) -%}{%- endfor -%}
    {{ return(found) }}
{% endmacro %}


{# The services that dbt knows: exposures with features, in the order of their names. #}
{% macro registry_services_known() %}
    {%- set found = [] -%}
    {%- for exposure in graph.exposures.values() -%}
        {%- set about = dict(exposure.get('meta', {}), **exposure.get('config', {}).get('meta', {})).get('fsync', {}) -%}
        {%- if about.get('features') -%}
            {%- do found.append({'name': exposure.name, 'exposure': exposure, 'about': about}) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(found | sort(attribute='name')) }}
{% endmacro %}
