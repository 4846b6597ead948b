"""What a broker counts. Each module collects from some of its tables."""
