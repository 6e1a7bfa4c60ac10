"""Admin pages: the staff read the catalogue's tables in a browser."""
