"""Search: full-text search of movies, on Elasticsearch or tantivy."""
