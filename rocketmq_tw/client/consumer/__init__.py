"""Consumers: members of a group, with a message handler, and readers by offset."""
