"""Which movies does a user never want to be recommended?"""
