"""Stores messages that producers send and consumers send back."""
