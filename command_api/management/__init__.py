"""Management of the command side: users found by name, commands."""
