"""Sync with TMDb: jobs that fetch films, changes and trends on a schedule."""
