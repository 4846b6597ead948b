"""From pulled messages to the handlers, and what the handlers return."""
