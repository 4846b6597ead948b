"""Messages counted by topic, queue and group, in the last minute, hour and day."""
