"""Which movies do users put together, in which order, and who may see it?"""
