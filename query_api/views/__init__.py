"""Views of the query API, one module per read model."""
