"""The consume queues: for each queue, where its messages lie in the commit log."""
