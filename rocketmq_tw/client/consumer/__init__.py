"""Consumers: group members with a message handler, and readers by offset."""
