"""Copies a master's commit log to its slaves, over connections of their own."""
