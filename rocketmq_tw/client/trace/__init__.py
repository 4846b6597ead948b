"""Traces: what became of each message, written as messages of a topic of traces."""
