"""Requests and answers over a connection; the same protocol at both ends."""
