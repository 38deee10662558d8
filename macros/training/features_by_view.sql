{#
    What is known of features, in two orders: `features` as asked for, each with its empty value and the number of
    its view; `views` with the features that are read from each, and which column of the labels has which column of
    its entity. It is made from what `fsync compile` has written.
#}
{% macro features_by_view(features=none, service=none, keys={}) -%}
    {%- if not context.get('fsync_features') -%}
        {{ exceptions.raise_compiler_error('there is no macro fsync_features in this project: run `fsync compile`') }}
    {%- endif -%}
    {%- set known = context['fsync_features']() -%}
    {%- if (features is none) == (service is none) -%}
        {{ exceptions.raise_compiler_error('point_in_time takes either features or a service') }}
    {%- endif -%}
    {%- if service is not none and service not in known.services -%}
        {{ exceptions.raise_compiler_error("there is no service '" ~ service ~ "' (there are: "
            ~ known.services | join(', ') ~ ')') }}
    {%- endif -%}
    {%- set view_of = {} -%}
    {%- for view, described in known.views.items() -%}
        {%- for feature in described['features'] -%}{%- do view_of.update({feature: view}) -%}{%- endfor -%}
    {%- endfor -%}
    {%- set views, chosen = [], [] -%}
    {%- for feature in (features if service is none else known.services[service]) -%}
        {%- if feature not in view_of -%}
            {{ exceptions.raise_compiler_error("there is no feature '" ~ feature ~ "'") }}
        {%- endif -%}
        {%- set name = view_of[feature] -%}
        {%- if name not in views | map(attribute='name') -%}
            {%- set entity = known.views[name]['entity'] -%}
            {%- do views.append({'name': name, 'entity': entity, 'features': [],
                                 'label_columns': fsync.keys_of_view(name, entity, keys)}) -%}
        {%- endif -%}
        {%- for view in views if view.name == name -%}
            {%- if feature in view.features -%}
                {{ exceptions.raise_compiler_error("the feature '" ~ feature ~ "' is asked for twice") }}
            {%- endif -%}
            {%- do view.features.append(feature) -%}
            {%- do chosen.append({'name': feature, 'number': views.index(view) + 1,
                                  'empty': known.views[name]['features'][feature]}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- set columns = views | map(attribute='entity') | sum(start=[]) -%}
    {%- for key, value in keys.items() if key not in (views | map(attribute='name') | list if value is mapping else columns) -%}
        {{ exceptions.raise_compiler_error("keys name '" ~ key ~ "', which is no view and no entity column here") }}
    {%- endfor -%}
    {{ return({'views': views, 'features': chosen}) }}
{%- endmacro %}

{# For each column of a view's entity the column of the labels: of `keys[view]`, else of `keys`, else of the same name. #}
{% macro keys_of_view(name, entity, keys) -%}
    {%- set given = keys[name] if keys.get(name) is mapping else keys -%}
    {%- set found = {} -%}
    {%- for column in entity -%}
        {%- do found.update({column: given[column] if given.get(column) is string else column}) -%}
    {%- endfor -%}
    {%- for column in given if given is not sameas keys and column not in entity -%}
        {{ exceptions.raise_compiler_error("keys name '" ~ column ~ "', which is no entity column of " ~ name) }}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}
