"""Demo catalogue: the file that comes with the project, and the scripts that maintain it."""
