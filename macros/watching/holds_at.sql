{# That a row of a validity table holds at an instant. #}
{% macro holds_at(at) %}
    {{- return('valid_from < ' ~ at ~ ' and valid_to >= ' ~ at) -}}
{% endmacro %}
