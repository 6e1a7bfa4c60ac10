"""Query API: answers reads from the read models alone; it has no access to the event log."""
