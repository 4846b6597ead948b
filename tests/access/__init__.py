"""Tests of what access control of brokers and name servers has in common."""
