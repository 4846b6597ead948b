"""The consume queues: for each queue, the commit log offsets of its messages."""
