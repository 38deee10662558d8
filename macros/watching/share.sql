{# A share as a number: of 5%, and of 0.05. #}
{% macro share(given) %}
    {%- set text = given | string | trim -%}
    {%- set number = text.rstrip('%') | float(-1) -%}
    {%- if number < 0 -%}
        {{ exceptions.raise_compiler_error("'" ~ given ~ "' is no share: write 5%, or 0.05") }}
    {%- endif -%}
    {{ return(number / 100 if text.endswith('%') else number) }}
{% endmacro %}
