-- a training set by hand: the row of each label's entity that holds at its time, and what a feature is without one
select
    labels.*,
    coalesce(orders_7d, 0) as orders_7d,
    coalesce(orders_30d, 0) as orders_30d,
    coalesce(orders_ever, 0) as orders_ever,
    coalesce(spend_7d, 0) as spend_7d,
    coalesce(spend_30d, 0) as spend_30d,
    mean_30d,
    highest_30d,
    last_channel,
    last_member,
    last_seen
from labels
asof left join activity as features
    on labels.user_id = features.user_id and labels.label_at > features.valid_from
