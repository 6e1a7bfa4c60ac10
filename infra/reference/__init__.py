"""Which pages of docs/reference are made from infra's own code?"""
