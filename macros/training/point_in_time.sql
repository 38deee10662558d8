{#
    Labels with the features of their entities as of their times: each label once, with all of its columns, then the
    features in the order asked for. What happened at the time of a label is not in its features, unless it is
    asked for with `inclusive=true`. A label whose entity is not known, or not known yet, has the empty values; one
    without a time has NULL. No column of the labels is called fsync_at.

        {{ fsync.point_in_time(labels=ref('churn_labels'), service='churn_model', timestamp='label_at') }}

        {{ fsync.point_in_time(labels='(select * from trips where is_paid)', timestamp='ended_at',
                               features=['rider_30d_trips', 'driver_rating'],
                               keys={'rider': {'user_id': 'rider_id'}, 'driver': {'user_id': 'driver_id'}}) }}

    Times of labels are dates, timestamps or texts of them. Those with a zone are converted, the others are UTC; all
    are cut to milliseconds like those of events. The session's time zone has to be UTC, as the profile says.
#}
{% macro point_in_time(labels, timestamp, features=none, service=none, inclusive=false, keys={}, few=true) -%}
    {%- set chosen = fsync.features_by_view(features, service, keys) -%}
    {{ return(adapter.dispatch('point_in_time', 'fsync')(labels, timestamp, chosen, inclusive, few)) }}
{%- endmacro %}

{% macro duckdb__point_in_time(labels, timestamp, chosen, inclusive, few) -%}
    with fsync_labels as (
        select *, {{ fsync.label_time(adapter.quote(timestamp)) }} as fsync_at
        from {{ labels }}
    )
    {%- for view in chosen.views %},
    -- the rows of {{ view.name }}{{ ' that can belong to a label' if few }}
    fsync_view_{{ loop.index }} as (
        select {{ view.entity | join(', ') }}, valid_from, {{ view.features | join(', ') }}
        from {{ ref(view.name) }} as features
        {%- if few %}
        semi join fsync_labels on {{ fsync.label_entity('features', view) }}
        {%- endif %}
    )
    {%- endfor %}
    select
        fsync_labels.* exclude (fsync_at)
        {%- for feature in chosen.features %},
        {{ fsync.feature_of_label(feature, 'fsync_labels.fsync_at') }}
        {%- endfor %}
    from fsync_labels
    {%- for view in chosen.views %}
    asof left join fsync_view_{{ loop.index }}
        on {{ fsync.label_entity('fsync_view_' ~ loop.index, view) }}
        and fsync_labels.fsync_at {{ '>=' if inclusive else '>' }} fsync_view_{{ loop.index }}.valid_from
    {%- endfor %}
{%- endmacro %}

{# Where there is no as-of join: at most one row of an entity holds at a time. #}
{% macro default__point_in_time(labels, timestamp, chosen, inclusive, few) -%}
    {%- set at = fsync.label_time('fsync_labels.' ~ adapter.quote(timestamp)) -%}
    with fsync_labels as (
        select * from {{ labels }}
    )
    select
        fsync_labels.*
        {%- for feature in chosen.features %},
        {{ fsync.feature_of_label(feature, at) }}
        {%- endfor %}
    from fsync_labels
    {%- for view in chosen.views %}
    left join {{ ref(view.name) }} as fsync_view_{{ loop.index }}
        on {{ fsync.label_entity('fsync_view_' ~ loop.index, view) }}
        and fsync_view_{{ loop.index }}.valid_from {{ '<=' if inclusive else '<' }} {{ at }}
        and {{ at }} {{ '<' if inclusive else '<=' }} fsync_view_{{ loop.index }}.valid_to
    {%- endfor %}
{%- endmacro %}

{# The time of a label as times are in feature tables: UTC, cut to milliseconds; NULL outside the years 1 to 9999. #}
{% macro label_time(column) -%}
    {{ return(adapter.dispatch('label_time', 'fsync')(column)) }}
{%- endmacro %}

{% macro duckdb__label_time(column) -%}
    {#- a cast of text forgets its zone, and one of nanoseconds rounds; what does not apply is not in the plan -#}
    {%- set utc -%}
        case
            when typeof({{ column }}) = 'TIMESTAMP' then cast({{ column }} as timestamp)
            when typeof({{ column }}) like '%NS' then cast(cast(cast({{ column }} as varchar) as timestamptz) as timestamp)
            else cast(cast({{ column }} as timestamptz) as timestamp)
        end
    {%- endset -%}
    case when {{ utc }} between timestamp '0001-01-01' and timestamp '9999-12-31' then date_trunc('millisecond', {{ utc }}) end
{%- endmacro %}

{% macro default__label_time(column) -%}
    date_trunc('millisecond', cast({{ column }} as timestamp))
{%- endmacro %}

{# That a row of a view is of a label's entity. #}
{% macro label_entity(alias, view) -%}
    {%- for column in view.entity -%}
        {{ ' and ' if not loop.first -}}
        fsync_labels.{{ adapter.quote(view['label_columns'][column]) }} = {{ alias }}.{{ column }}
    {%- endfor -%}
{%- endmacro %}

{# A feature's value: what holds, or the empty value where nothing does; NULL for a label without a time. #}
{% macro feature_of_label(feature, at) -%}
    case
            when fsync_view_{{ feature.number }}.valid_from is not null then fsync_view_{{ feature.number }}.{{ feature.name }}
            when {{ at }} is not null then {{ feature.empty }}
        end as {{ feature.name }}
{%- endmacro %}
