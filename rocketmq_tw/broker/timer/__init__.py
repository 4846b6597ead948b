"""Timed messages: delivered at the time that their sender asks for."""
