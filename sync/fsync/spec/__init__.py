"""YAML to `Catalog`: what people wrote, as frozen data in which everything knows its place."""
