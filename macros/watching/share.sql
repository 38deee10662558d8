{# A share as a number: of 5%, and of 0.05. #}
{% macro share(given) %}
    {%- set text = given | string | trim -%}
    {#- read as it is written: divided by 100, 99.9 would be more than 0.999 -#}
    {%- set number = (text.rstrip('%').rstrip() ~ 'e-2' if text.endswith('%') else text) | float(-1) -%}
    {%- if not 0 <= number <= 1 -%}
        {{ exceptions.raise_compiler_error("'" ~ given ~ "' is no share: write 5%, or 0.05") }}
    {%- endif -%}
    {{ return(number) }}
{% endmacro %}
