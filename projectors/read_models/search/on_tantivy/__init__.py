"""Search engine on tantivy: an index in a directory, without a server."""
