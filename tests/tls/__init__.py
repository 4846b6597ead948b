"""TLS without connections: settings, files, contexts and explanations."""
