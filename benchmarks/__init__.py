"""How fast is it, measured beside what the same machine can do at the same time?"""
