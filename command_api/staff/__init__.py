"""The staff role: grant and revoke."""
