"""Pages of docs/reference that are made from infra's code."""
