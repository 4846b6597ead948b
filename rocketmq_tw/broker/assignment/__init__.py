"""Assignments of queues to members of groups that the broker makes."""
