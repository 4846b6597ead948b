"""
The wire catalogue, generated from the declarations: ``python -m doc.catalogue``.

It writes ``doc/format/requests.rst`` and ``doc/format/bodies.rst``. What a request and
its response have in their headers is in their declarations; what the declarations do
not say (who is asked, what the bodies hold, which errors matter) is in
:mod:`doc.catalogue.facts`.
"""
