"""Which movies are like which?"""
