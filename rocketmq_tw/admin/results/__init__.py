"""
What the methods of an ``AdminClient`` return: frozen values, one module a noun.

``msgspec.json.encode`` writes them as JSON. One rule for all: a time is a ``datetime``
in UTC (in JSON ``2026-11-28T01:00:00Z``) or None, a duration is in seconds, a size in
bytes, a rate per second, and a body is bytes (in JSON Base64). ``failed`` says who
could not be asked, and why: address or broker name, and a sentence.
"""
