"""Tests with real sockets, on the local host."""
