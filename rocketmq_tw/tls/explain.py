"""
Why a TLS handshake failed, in plain words.

OpenSSL reports a failure as a list of (library, function, reason), and what it found
wrong with a certificate as a number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

#: What is wrong with a certificate, by OpenSSL's number (``X509_V_ERR_...``).
_CERTIFICATE = {
    2: "its authority is not among those that are trusted",
    7: "it was not signed by the trusted authority of that name",
    9: "it is not valid yet",
    10: "it has expired",
    18: "it is signed by itself, and not trusted",
    19: "its authority is not among those that are trusted",
    20: "its authority is not among those that are trusted",
    21: "it was sent without those between it and the authority",
    22: "its chain is too long",
    23: "it was revoked",
    24: "its authority may not sign certificates",
    26: "it is not meant for this purpose",
    66: "its key is too weak",
    68: "its signature is of a kind that is no longer safe",
}

#: Parts of OpenSSL's reasons, and what they mean; the first that is found counts.
_REASONS = (
    ("http request", "it speaks HTTP instead of TLS"),
    ("wrong version number", "it does not speak TLS here"),
    ("packet length too long", "it does not speak TLS here"),
    ("record layer failure", "it does not speak TLS here"),
    ("unsupported protocol", "it speaks only versions of TLS older than 1.2"),
    ("protocol version", "no version of TLS is allowed by both ends"),
    ("version too low", "it speaks only versions of TLS older than 1.2"),
    ("no shared cipher", "no cipher suite is allowed by both ends"),
    ("no suitable signature", "its certificate is of a kind that cannot be used"),
    ("peer did not return a certificate", "it has sent no certificate"),
    ("certificate required", "it wants a certificate of this client"),
    ("unknown ca", "it does not trust the authority of the certificate sent to it"),
    ("certificate unknown", "it does not trust the certificate sent to it"),
    ("certificate expired", "it says that the certificate sent to it has expired"),
    ("bad certificate", "it refuses the certificate sent to it"),
    ("unsupported certificate", "it refuses the certificate sent to it"),
    ("handshake failure", "it refuses the handshake; the reason is in its log"),
    ("internal error", "it had an internal error"),
    ("unexpected eof", "it closed the connection during the handshake"),
    ("no renegotiation", "it wants to negotiate again, which is not allowed"),
)


def certificate_problem(number: int) -> str:
    """Return what is wrong with a certificate; ``number`` is OpenSSL's."""
    return _CERTIFICATE.get(number, f"OpenSSL refuses it (error {number})")


def handshake_problem(error: BaseException) -> str:
    """
    Return why a handshake failed, as seen by this end: "it" is the peer.

    :param error: an ``OpenSSL.SSL.Error``.
    """
    text = _reason(error.args)
    for part, meaning in _REASONS:
        if part in text:
            return meaning
    return f"the handshake failed: {text or type(error).__name__}"


def _reason(arguments: Sequence[Any]) -> str:
    """Return the last of OpenSSL's reasons, in lower case."""
    found = arguments[0] if arguments else []
    if isinstance(found, list):
        # An error of OpenSSL 4 at the end of a connection has no reasons.
        found = found[-1][-1] if found else "unexpected eof"
    elif len(arguments) > 1:
        found = arguments[1]
    return str(found).lower()
