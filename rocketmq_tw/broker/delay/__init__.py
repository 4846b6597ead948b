"""Delayed messages: delivered after the delay of their level."""
