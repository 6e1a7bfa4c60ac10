"""Erasure: purges a user's data from every read model and proves that it is gone."""
