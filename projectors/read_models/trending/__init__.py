"""Which movies are people acting on now?"""
