"""What makes messages durable: flushes, checkpoints, recovery, retention."""
