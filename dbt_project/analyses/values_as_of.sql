-- The features of every customer as of an instant: `dbt show --select values_as_of`, or read it in target/compiled.
select features.*
from {{ ref('user_id__orders_stream') }} as features
where valid_from < cast('{{ var("as_of", "1998-07-01") }}' as timestamp)
    and cast('{{ var("as_of", "1998-07-01") }}' as timestamp) <= valid_to
