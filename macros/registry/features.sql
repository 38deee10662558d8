{# One row a feature, as the meta of its column says. #}
{% macro registry_features() %}
    {%- set columns = [
        ('feature', 'varchar'), ('view_name', 'varchar'), ('version', 'varchar'), ('data_type', 'varchar'),
        ('entity', 'varchar'), ('source', 'varchar'), ('transformation', 'varchar'), ('condition', 'varchar'),
        ('every', 'varchar'), ('ttl', 'varchar'), ('empty_value', 'varchar'), ('owner', 'varchar'),
        ('description', 'varchar'), ('classification', 'varchar'), ('freshness', 'varchar'),
        ('availability', 'varchar'), ('tags', 'varchar'), ('backfill_from', 'date'), ('backfill_note', 'varchar'),
        ('deprecated_since', 'date'), ('deprecated_note', 'varchar'), ('replacement', 'varchar'),
    ] -%}
    {%- set rows = [] -%}
    {%- for view in (fsync.registry_views_known() if execute else []) -%}
        {%- for column in view.node.columns.values() -%}
            {%- set said = fsync.registry_column(column) -%}
            {%- if said.get('transformation') -%}
                {%- set backfill, deprecated = said.get('backfill', {}), said.get('deprecated', {}) -%}
                {%- do rows.append([
                    column.name, view.name, said.get('version'), column.data_type, view.about.entity,
                    view.about.get('source'), said.transformation, said.get('where'), view.about.get('every'),
                    said.get('ttl'), said.get('empty') | string if said.get('empty') is not none else none,
                    said.get('owner'), column.description, said.get('classification', []), said.get('freshness'),
                    said.get('availability'), said.get('tags', []), backfill.get('from'), backfill.get('note'),
                    deprecated.get('since'), deprecated.get('note'), deprecated.get('use'),
                ]) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ fsync.registry_rows(columns, rows) }}
{% endmacro %}
