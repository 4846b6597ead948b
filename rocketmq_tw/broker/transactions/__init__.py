"""Transactions: half messages, and what their producers decide on them."""
