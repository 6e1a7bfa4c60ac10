"""Sessions: revoked access tokens."""
