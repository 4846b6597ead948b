"""
The broker: stores messages, delivers them, and tracks its topics, groups and clients.
"""
