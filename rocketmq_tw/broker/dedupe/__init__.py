"""Recognises messages that are sent twice, in topics that ask for it."""
