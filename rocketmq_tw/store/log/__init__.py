"""The commit log: every message of a broker, in one sequence."""
