"""A message store in memory, for tests and trials."""
