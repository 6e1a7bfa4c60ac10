"""Which access tokens count no more?"""
