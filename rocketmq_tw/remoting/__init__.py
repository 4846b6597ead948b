"""Requests and responses over a connection; both ends use the same protocol."""
