"""Management commands of the command side, and their look-up of users."""
