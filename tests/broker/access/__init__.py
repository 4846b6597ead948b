"""Tests of access control in a broker."""
