"""Pulling: the request, pulls held until a message arrives, and cold reads."""
