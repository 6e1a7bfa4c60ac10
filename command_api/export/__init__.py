"""Export of all data of a user as JSON lines, and import of such a file."""
