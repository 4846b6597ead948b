"""Tests of the public doubles."""
