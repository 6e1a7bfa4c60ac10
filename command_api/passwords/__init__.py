"""How does one come to another password?"""
