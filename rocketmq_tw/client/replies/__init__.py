"""Requests to other clients, and their replies."""
