"""manage.py commands of the command side."""
