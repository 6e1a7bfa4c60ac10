"""Parked events: poison messages stored by stream, their retry, and the circuit breaker."""
