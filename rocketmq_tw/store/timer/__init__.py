"""The files in which messages wait for the time of their delivery."""
