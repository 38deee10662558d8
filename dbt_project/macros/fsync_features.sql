{# Compiled by fsync from the specs in feature_specs/: change those, then run `fsync compile`. #}
{# What point_in_time knows: views with their entity, features with their empty values, services. #}
{% macro fsync_features() %}
{{ return({
  "views": {
    "user_id__orders_stream": {
      "entity": [
        "user_id"
      ],
      "features": {
        "user_180d_large_order_count": "CAST('0' AS BIGINT)",
        "user_30d_avg_spend": "CAST(NULL AS DOUBLE)",
        "user_30d_purchase_count": "CAST('0' AS BIGINT)",
        "user_30d_spend": "CAST('0.00' AS DECIMAL(38, 2))",
        "user_365d_max_order": "CAST('0.00' AS DECIMAL(10, 2))",
        "user_365d_min_order": "CAST(NULL AS DECIMAL(10, 2))",
        "user_7d_spend": "CAST('0.00' AS DECIMAL(38, 2))",
        "user_90d_avg_order_value": "CAST(NULL AS DOUBLE)"
      }
    },
    "user_lifetime": {
      "entity": [
        "user_id"
      ],
      "features": {
        "user_last_order_quantity": "CAST(NULL AS BIGINT)",
        "user_lifetime_spend": "CAST('0.00' AS DECIMAL(38, 2))"
      }
    }
  },
  "services": {
    "churn_model": [
      "user_30d_purchase_count",
      "user_30d_spend",
      "user_90d_avg_order_value",
      "user_lifetime_spend",
      "user_last_order_quantity"
    ]
  }
}) }}
{% endmacro %}
