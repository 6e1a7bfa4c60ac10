"""Which movies are there, and who may say so?"""
