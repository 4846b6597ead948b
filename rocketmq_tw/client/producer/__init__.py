"""Producers: from the message of a caller to the result of its send."""
