-- features of who clicks, by hand: the same macros that compiled models call
with changes as (

    {{ fsync.changes(
        ref('clicks'),
        entity=['who'],
        event_time='clicked_at',
        columns=['price', 'page'],
        windows=['1d', '7d'],
        order_by=['id'],
    ) }}

),

windowed as (

    select
        who,
        changed_at as valid_from,
        {{ fsync.valid_to() }} as valid_to,
        {{ fsync.window_count('is_event', '1d') }} as clicks_1d,
        {{ fsync.window_sum('price', '7d') }} as spent_7d,
        {{ fsync.window_avg('price', '7d') }} as mean_7d,
        {{ fsync.window_min('price', '7d') }} as least_7d,
        {{ fsync.window_max('price', '7d') }} as most_7d,
        {{ fsync.window_stddev('price', '7d') }} as spread_7d,
        {{ fsync.window_median('price', '7d') }} as median_7d,
        {{ fsync.window_percentile('price', 0.9, '7d') }} as p90_7d,
        {{ fsync.window_count_distinct('page', '7d') }} as pages_7d,
        {{ fsync.window_first('page', '7d') }} as first_page_7d,
        {{ fsync.window_last('page', '7d') }} as last_page_7d,
        {{ fsync.latest('page') }} as last_page,
        {{ fsync.latest('page', ttl='1d') }} as last_page_1d,
        {{ fsync.lifetime_sum('price') }} as spent
    from changes
    window {{ fsync.frames(entity=['who'], windows=['1d', '7d'], lifetime=true) }}

)

select *
from windowed
where valid_from < valid_to
