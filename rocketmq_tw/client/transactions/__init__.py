"""Transactions: half messages, local transactions, and the questions of brokers."""
