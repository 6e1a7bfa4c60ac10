"""How are all processes of the platform run on one machine?"""
