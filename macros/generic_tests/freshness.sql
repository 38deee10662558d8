{#
    Values are as fresh as is promised, and two minutes: of a feature view, whose table says of itself when it was built
    and what its newest event is; or of any model, by a column with the time of its events.

        - fsync.freshness: {arguments: {features: {user_30d_spend: {within: 1h, of: event}}}}
        - fsync.freshness: {arguments: {event_time: ordered_at, within: 1h}}

    Returns a row for each feature that is older, and one for a model that is: (feature, since, lag, within). What has
    no event at all is late. A feature view knows its newest event alone: as of an instant before that, it passes.
#}
{% test freshness(model, features=none, event_time=none, within=none, as_of=none) %}
    {%- set at = fsync.as_of(as_of) %}
    {%- if not features and not (event_time and within) -%}
        {{ exceptions.raise_compiler_error("freshness needs features, or event_time and within") }}
    {%- endif %}
with promised as (

    {% for feature, promise in (features or {none: {'within': within, 'of': 'event'}}).items() -%}
    select
        cast({{ fsync.registry_literal(feature) }} as varchar) as feature,
        {{ fsync.interval(promise.within) }} as within,
        '{{ promise.of }}' as counted_from
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

known as (

    {% if event_time -%}
    select max({{ fsync.label_time(event_time) }}) as newest_event, cast(null as timestamp) as built_at
    from {{ model }}
    where {{ fsync.label_time(event_time) }} < {{ at }}
    {%- else -%}
    select newest_event, built_at
    from ({{ fsync.stamp_times(model) }})
    {%- endif %}

),

lags as (

    select
        feature,
        if(counted_from = 'build', built_at, newest_event) as since,
        {{ at }} - if(counted_from = 'build', built_at, newest_event) as lag,
        within
    from promised
    cross join known

)

select *
from lags
where lag is null or lag > within + interval 2 minute
{% endtest %}
