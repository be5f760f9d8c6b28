"""The cascaded pyramid network."""
