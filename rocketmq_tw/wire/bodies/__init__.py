"""The JSON bodies of requests and responses, by family; each is declared once."""
