"""Keeps messages durable: flushing, checkpoints, recovery, retention."""
