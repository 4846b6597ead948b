"""Delay levels: messages that are delivered some time after they were sent."""
