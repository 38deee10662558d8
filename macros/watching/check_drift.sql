{# That a column can be compared as it is said. #}
{% macro check_drift(name, about, holding) %}
    {%- set baseline = about.get('baseline') or {} -%}
    {%- if about.get('kind', 'number') not in ('number', 'category', 'age') -%}
        {{ exceptions.raise_compiler_error("the kind of " ~ name ~ " is number, category or age") }}
    {%- endif -%}
    {%- if not (baseline is mapping and (baseline.get('relation') or baseline.get('before') or baseline.get('at'))) -%}
        {{ exceptions.raise_compiler_error("drift of " ~ name ~ " needs a baseline: {relation: ref('…')}, or of a validity table {before: 28d} or {at: 1998-01-01}") }}
    {%- endif -%}
    {%- if not baseline.get('relation') and not holding -%}
        {{ exceptions.raise_compiler_error("the baseline of " ~ name ~ " is of another instant: say holding: true of a validity table") }}
    {%- endif -%}
    {%- if baseline.get('relation') and about.get('kind') == 'age' -%}
        {{ exceptions.raise_compiler_error("ages of " ~ name ~ " have no baseline in a relation: its rows are of many instants") }}
    {%- endif -%}
{% endmacro %}
