"""Storage of read models: shards that move data and checkpoints in one atomic step."""
