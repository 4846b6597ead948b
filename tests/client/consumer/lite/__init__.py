"""Tests of the pull consumer."""
