"""How does one log in, and out again?"""
