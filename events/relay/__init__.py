"""Relay: publishes the event log to the bus, in order and confirmed (a transactional outbox)."""
