"""Tests of access control without a server."""
