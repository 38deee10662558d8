{#
    The p-value of a chi-squared statistic with so many degrees of freedom, both as SQL: the upper incomplete gamma
    function, by the series of the lower one. For fewer than 100 degrees, and then good to 1e-10.
#}
{% macro chi_squared_p(statistic, degrees) %}
    {{ return(adapter.dispatch('chi_squared_p', 'fsync')(statistic, degrees)) }}
{% endmacro %}


{% macro duckdb__chi_squared_p(statistic, degrees) -%}
case
    when {{ degrees }} < 1 or {{ statistic }} <= 0 then 1.0
    when {{ statistic }} > 1000 then 0.0
    else greatest(0, 1 - list_sum(list_transform(
        range(0, 1000),
        lambda k: exp(
            ({{ degrees }} / 2 + k) * ln({{ statistic }} / 2) - {{ statistic }} / 2
            - lgamma({{ degrees }} / 2 + k + 1)
        )
    )))
end
{%- endmacro %}
