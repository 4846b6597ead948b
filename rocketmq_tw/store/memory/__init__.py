"""A message store without files, for tests and trials."""
