{# That a column can be compared as it is said. #}
{% macro check_drift(model, name, about, holding) %}
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
    {%- if execute -%}
        {#- a validity table is compiled, and has what its test names -#}
        {%- if not holding -%}{%- do fsync.check_drift_type(model, name, about) -%}{%- endif -%}
        {%- if baseline.get('relation') -%}{%- do fsync.check_drift_type(baseline.relation, name, about) -%}{%- endif -%}
    {%- endif -%}
{% endmacro %}


{# That a relation has a column, and of a type that can be compared as it is said. A query has no columns to ask for. #}
{% macro check_drift_type(relation, name, about) %}
    {%- if relation.identifier is not defined -%}{{ return('') }}{%- endif -%}
    {%- set types = {} -%}
    {%- for column in adapter.get_columns_in_relation(relation) -%}
        {%- do types.update({column.name | lower: column.dtype | lower}) -%}
    {%- endfor -%}
    {%- set type = types.get(name | lower | replace('"', '')) -%}
    {%- if types and type is none -%}
        {{ exceptions.raise_compiler_error("drift of " ~ name ~ ": " ~ relation ~ " has no such column") }}
    {%- endif -%}
    {%- if about.get('kind', 'number') == 'number' and modules.re.match('varchar|text|bool|uuid|date|time|.*\\[', type or '') -%}
        {{ exceptions.raise_compiler_error("drift of " ~ name ~ ": " ~ type ~ " is no number in " ~ relation ~ ": say kind: category, or kind: age of a time") }}
    {%- endif -%}
{% endmacro %}
