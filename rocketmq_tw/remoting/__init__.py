"""Requests and responses over a connection; the same protocol at both ends."""
