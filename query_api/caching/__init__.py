"""Read-through cache of the query API with single-flight loading."""
