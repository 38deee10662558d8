{# The values of columns, now and in their baselines: a query of (feature, value, now, before), counts of each value. #}
{% macro drift_values(model, columns, type, population, holding, at) %}
    {%- set is_known = '(' ~ population ~ ')' if population else 'true' -%}
    {%- for about in columns %}
    {%- set then = fsync.baseline_instant(about.baseline, at) %}
    {%- set is_compared = about.name ~ ' is not null' ~ (' and (' ~ about.among ~ ')' if about.get('among') else '') %}
    select {{ fsync.registry_literal(about.key) }} as feature, value, count(*) filter (where is_now) as now, count(*) filter (where not is_now) as before
    from (
        select {{ fsync.drift_value(about, type, at) }} as value, true as is_now
        from {{ model }}
        where {{ is_compared }} and {{ is_known }} and {{ fsync.holds_at(at) if holding else 'true' }}
        union all
        select {{ fsync.drift_value(about, type, then) }}, false
        {% if about.baseline.get('relation') -%}
        from {{ about.baseline.relation }}
        where {{ is_compared }}
        {%- else -%}
        from {{ model }}
        where {{ is_compared }} and {{ is_known }} and {{ fsync.holds_at(then) }}
        {%- endif %}
    )
    group by value
    {{ 'union all' if not loop.last }}
    {%- endfor %}
{% endmacro %}


{# A column as it is compared. #}
{% macro drift_value(about, type, at) %}
    {%- set milliseconds = 'epoch_ms(cast(' ~ about.name ~ ' as timestamp))' -%}
    {%- if about.value == 'age of' -%}
        {{- return('(epoch_ms(' ~ at ~ ') - ' ~ milliseconds ~ ') / 1000.0') -}}
    {%- elif about.value == 'time of' -%}
        {{- return(milliseconds ~ ' / 1000.0') -}}
    {%- endif -%}
    {{- return('cast(' ~ about.name ~ ' as ' ~ type ~ ')') -}}
{% endmacro %}


{# The instant of a baseline, as SQL; that of the test for a relation, which has none. #}
{% macro baseline_instant(baseline, at) %}
    {%- if baseline.get('before') -%}{{ return('(' ~ at ~ ' - ' ~ fsync.interval(baseline.before) ~ ')') }}{%- endif -%}
    {%- if baseline.get('at') -%}{{ return(fsync.as_of(baseline.at)) }}{%- endif -%}
    {{ return(at) }}
{% endmacro %}
