"""Generations of a read model: live pointers, selection and garbage collection."""
