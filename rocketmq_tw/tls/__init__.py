"""
TLS without connections: settings, certificate files, contexts, and explanations.

``settings`` is all that a deployment without TLS imports. The other modules import
OpenSSL.
"""
