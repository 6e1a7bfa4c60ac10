"""How does search run on Elasticsearch?"""
