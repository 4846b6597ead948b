"""Handlers of requests from administration tools, by family."""
