"""Which movie is someone about to type?"""
