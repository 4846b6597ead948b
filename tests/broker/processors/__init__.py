"""Tests of what a broker does with requests."""
