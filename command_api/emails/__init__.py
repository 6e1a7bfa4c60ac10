"""E-mail: verification of addresses, and delivery of messages."""
