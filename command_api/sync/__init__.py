"""How does the catalogue keep itself fresh?"""
