"""The registry: what is known of features, as tables that dbt builds, as records, and for a catalogue tool."""
