"""What can the platform do? A tour that shows it, and fails where it does not."""
