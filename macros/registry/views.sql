{# One row a feature view, compiled or by hand. #}
{% macro registry_views() %}
    {%- set columns = [
        ('view_name', 'varchar'), ('hash', 'varchar'), ('schema_name', 'varchar'), ('table_name', 'varchar'),
        ('entity', 'varchar'), ('source', 'varchar'), ('every', 'varchar'), ('features', 'bigint'),
        ('classification', 'varchar'), ('owners', 'varchar'),
    ] -%}
    {%- set rows = [] -%}
    {%- for view in (fsync.registry_views_known() if execute else []) -%}
        {%- set owners, features = [], [] -%}
        {%- for column in view.node.columns.values() -%}
            {%- set said = fsync.registry_column(column) -%}
            {%- if said.get('transformation') -%}
                {%- do features.append(column.name) -%}
                {%- if said.get('owner') and said.owner not in owners -%}{%- do owners.append(said.owner) -%}{%- endif -%}
            {%- endif -%}
        {%- endfor -%}
        {%- do rows.append([
            view.name, view.about.hash, view.node.schema, view.node.alias, view.about.entity,
            view.about.get('source'), view.about.get('every'), features | length,
            view.about.get('classification', []), owners | sort,
        ]) -%}
    {%- endfor -%}
    {{ fsync.registry_rows(columns, rows) }}
{% endmacro %}
