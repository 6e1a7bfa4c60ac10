"""Which movies are a user's favourites?"""
