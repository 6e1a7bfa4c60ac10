"""Developer tools that Make targets run."""
