"""The JSON bodies of requests and answers, in families; each is declared once."""
