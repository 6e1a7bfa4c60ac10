"""Which movies did someone mean, who typed a few words?"""
