"""Event catalogue, event store, bus, relay and vault: what is recorded, and how it travels."""
