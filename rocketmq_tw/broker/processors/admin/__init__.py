"""What administrators ask of a broker, by family."""
