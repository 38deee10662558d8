{{ my_macro(source('crm', 'people')) }}
