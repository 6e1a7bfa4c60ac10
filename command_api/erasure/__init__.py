"""How is a person forgotten?"""
