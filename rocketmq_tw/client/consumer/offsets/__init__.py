"""Consumer offsets: where a group starts to read, and how far it has read."""
