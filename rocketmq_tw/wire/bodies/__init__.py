"""The JSON bodies of requests and responses, in families; each is declared once."""
