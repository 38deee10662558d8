{#
    One row for each thing that is made of another: services of features, features of columns or other features, and
    what they read of dbt's nodes, down to its sources. `is_shown`: whether the value can be seen in what is made of it.
#}
{% macro registry_lineage() %}
    {%- set columns = [
        ('kind', 'varchar'), ('name', 'varchar'), ('made_of_kind', 'varchar'), ('made_of', 'varchar'),
        ('is_shown', 'boolean'),
    ] -%}
    {%- set rows = [] -%}
    {%- if execute -%}
        {%- set waiting, seen = [], [] -%}
        {%- for service in fsync.registry_services_known() -%}
            {%- for feature in service.about.features -%}
                {%- do rows.append(['service', service.name, 'feature', feature, true]) -%}
            {%- endfor -%}
        {%- endfor -%}
        {%- for view in fsync.registry_views_known() -%}
            {%- for column in view.node.columns.values() -%}
                {%- set said = fsync.registry_column(column) -%}
                {%- for name, is_shown in said.get('reads', {}).items() -%}
                    {%- do rows.append(['feature', column.name, 'column', view.about.source ~ '.' ~ name, is_shown]) -%}
                {%- endfor -%}
                {%- for name, is_shown in said.get('derived_from', {}).items() -%}
                    {%- do rows.append(['feature', column.name, 'feature', name, is_shown]) -%}
                {%- endfor -%}
            {%- endfor -%}
            {%- do waiting.append(view.node.unique_id) -%}
        {%- endfor -%}
        {# a loop over a list that grows while it runs: each node once #}
        {%- for id in waiting if id not in seen -%}
            {%- do seen.append(id) -%}
            {%- set node = graph.nodes.get(id) or {} -%}
            {%- for below in node.get('depends_on', {}).get('nodes', []) -%}
                {%- set read = graph.nodes.get(below) or graph.sources.get(below) -%}
                {%- if read -%}
                    {%- set name = read.source_name ~ '.' ~ read.name if read.resource_type == 'source' else read.name -%}
                    {%- do rows.append([node.resource_type, node.name, read.resource_type, name, true]) -%}
                    {%- do waiting.append(below) -%}
                {%- endif -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
    {{ fsync.registry_rows(columns, rows) }}
{% endmacro %}
