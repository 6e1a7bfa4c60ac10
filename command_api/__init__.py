"""How does a request to change something become events? (hop 1)"""
