"""How does search run without a server: on tantivy, in a directory?"""
