"""All that touches message files: commit log, consume queues, checkpoint."""
