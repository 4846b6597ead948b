"""Proof against the original: Apache's servers and Java clients with ours."""
