{# One row for each feature of a service, in the order of the model's inputs. #}
{% macro registry_services() %}
    {%- set columns = [
        ('service', 'varchar'), ('position', 'bigint'), ('feature', 'varchar'), ('owner', 'varchar'),
        ('description', 'varchar'), ('since', 'date'),
    ] -%}
    {%- set rows = [] -%}
    {%- for service in (fsync.registry_services_known() if execute else []) -%}
        {%- for feature in service.about.features -%}
            {%- do rows.append([
                service.name, loop.index, feature, service.exposure.owner.name, service.exposure.description,
                service.about.get('since'),
            ]) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ fsync.registry_rows(columns, rows) }}
{% endmacro %}


{# One row an owner, of features or services. #}
{% macro registry_owners(features, services) %}
select
    owner,
    count(distinct feature) as features,
    count(distinct view_name) as views,
    count(distinct service) as services
from (
    select owner, feature, view_name, null as service from {{ features }}
    union all
    select owner, null, null, service from {{ services }}
) as owned
where owner is not null
group by owner
{% endmacro %}
