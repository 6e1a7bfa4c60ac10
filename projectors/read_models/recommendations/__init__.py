"""Which movies should each user see next, and why?"""
