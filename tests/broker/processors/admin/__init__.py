"""Tests of what administrators ask of a broker."""
