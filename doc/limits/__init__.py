"""
The page of limits, generated from the code: ``python -m doc.limits``.

It writes ``doc/howto/limits.rst``. What peers can make grow is declared in
:mod:`doc.limits.tables`; what no peer can make grow is listed, with the reason, in
:mod:`doc.limits.bounded`. :mod:`doc.limits.found` finds every container in the code
that lives longer than a call, and a test fails unless each stands in one of the two.
"""
