"""Dispatches pulled messages to handlers and processes the outcomes."""
