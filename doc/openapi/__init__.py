"""
Writes ``openapi.json``, which describes the requests of the console, from its routes.

``python -m doc.openapi`` writes the file; a test says when it is out of date.
"""
