-- the same, with the rows of other entities left out first: faster where labels are few
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
asof left join (select * from activity semi join labels using (user_id)) as features
    on labels.user_id = features.user_id and labels.label_at > features.valid_from
