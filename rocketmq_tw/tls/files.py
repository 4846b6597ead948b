"""
The certificates and keys of TLS, read from PEM files and checked.

Keys may be PKCS#8 (``BEGIN PRIVATE KEY``) or of the older forms, encrypted or not.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID

from rocketmq_tw.tls.errors import BadTlsFile

#: Bytes of a file, at most; the authorities of a system take some 250 KB.
_LONGEST = 4 << 20


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """
    What one end of TLS connections has to show.

    :ivar chain: its certificate first, then those between it and the authority.
    :ivar key: the private key of the first one.
    """

    chain: Sequence[x509.Certificate]
    key: Any

    def __repr__(self) -> str:
        return f"Credentials({name_of(self.chain[0])!r})"


def load_credentials(
    *,
    settings: str,
    certificate: str,
    key: str | None,
    password: str | None,
    now: float,
) -> Credentials:
    """
    Read a certificate and its private key.

    :param settings: the beginning of the settings' names: ``tls.server.``.
    :param certificate: the file of the certificate, followed by the others of its
        chain.
    :param key: the file of the private key; None if it is in the same file.
    :param now: the time of day, in seconds since the epoch.
    :raises BadTlsFile: a file is missing, unreadable or not PEM, the pass phrase is
        wrong, the certificate is not valid now, or the key is not its own.
    """
    named = f"{settings}certPath"
    chain = load_certificates(named, certificate)
    check_dates(named, certificate, chain, now)
    key_named = f"{settings}keyPath" if key else named
    found = _load_key(key_named, key or certificate, password)
    try:
        expected = _public_bytes(chain[0].public_key())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadTlsFile(named, certificate, f"cannot be used: {error}") from None
    if _public_bytes(found.public_key()) != expected:
        raise BadTlsFile(
            key_named,
            key or certificate,
            f"is not the private key of the certificate in {certificate}",
        )
    return Credentials(chain=chain, key=found)


def load_certificates(key: str, path: str) -> list[x509.Certificate]:
    """
    Read the certificates of a PEM file, in its order.

    :param key: the setting that names the file.
    :raises BadTlsFile: it cannot be read, or there is none.
    """
    data = _read(key, path)
    try:
        found = x509.load_pem_x509_certificates(data)
        for each in found:
            # What is read of them later; they are decoded only then.
            _ = (each.not_valid_before_utc, each.not_valid_after_utc, name_of(each))
        return found
    except ValueError:
        if b"-----BEGIN CERTIFICATE-----" in data:
            raise BadTlsFile(key, path, "contains a damaged certificate") from None
    why = "contains no certificate in PEM form"
    if data[:1] == b"\x30":
        why += "; it seems to be in DER form: convert it with openssl x509 -inform der"
    raise BadTlsFile(key, path, why)


def check_dates(
    key: str, path: str, chain: Sequence[x509.Certificate], now: float
) -> None:
    """
    Check that all certificates of a chain are valid now.

    :raises BadTlsFile: one is not.
    """
    today = datetime.fromtimestamp(now, UTC)
    for each in chain:
        if each.not_valid_after_utc < today:
            why = f"expired on {each.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"
        elif each.not_valid_before_utc > today:
            why = f"is valid from {each.not_valid_before_utc:%Y-%m-%d %H:%M} UTC on"
        else:
            continue
        raise BadTlsFile(key, path, f"has the certificate {name_of(each)}, which {why}")


def signature_of(paths: Sequence[str]) -> tuple[tuple[int, int, int], ...]:
    """
    Return what changes when one of the files does.

    A file that is missing or unreadable counts as a state, too.
    """
    found: list[tuple[int, int, int]] = []
    for path in paths:
        try:
            state = os.stat(path)
        except OSError as error:
            found.append((error.errno or -1, -1, -1))
        else:
            found.append((state.st_mtime_ns, state.st_size, state.st_ino))
    return tuple(found)


def name_of(certificate: x509.Certificate) -> str:
    """Return the common name of a certificate's subject, or all of the subject."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    text = names[0].value if names else certificate.subject.rfc4514_string()
    return text if isinstance(text, str) else repr(text)


def _read(key: str, path: str) -> bytes:
    """Read a file. :raises BadTlsFile: it cannot be read, or is far too long."""
    try:
        with open(path, "rb") as file:
            data = file.read(_LONGEST + 1)
    except OSError as error:
        why = f"cannot be read: {error.strerror or error}"
        raise BadTlsFile(key, path, why) from None
    if len(data) > _LONGEST:
        raise BadTlsFile(key, path, f"has more than {_LONGEST} bytes")
    return data


def _load_key(key: str, path: str, password: str | None) -> Any:
    """Read a private key."""
    data = _read(key, path)
    secret = password.encode() if password else None
    start = _begin_of_key(data)
    if start < 0:
        raise BadTlsFile(key, path, "contains no private key in PEM form")
    try:
        return _decoded_key(data[start:], secret)
    except TypeError:
        named = key.replace("keyPath", "keyPassword").replace("cert", "key")
        why = f"contains an encrypted private key; set {named} to its pass phrase"
        raise BadTlsFile(key, path, why) from None
    except UnsupportedAlgorithm as error:
        raise BadTlsFile(key, path, f"cannot be used: {error}") from None
    except ValueError:
        why = "contains a damaged private key"
        if secret is not None:
            why = "cannot be decrypted: the pass phrase is wrong, or it is damaged"
        raise BadTlsFile(key, path, why) from None


def _begin_of_key(data: bytes) -> int:
    """Return where the line is that begins a private key; -1 if there is none."""
    before = data.find(b"PRIVATE KEY-----")
    return data.rfind(b"-----BEGIN ", 0, max(before, 0))


def _decoded_key(data: bytes, secret: bytes | None) -> Any:
    """Decode a key; a pass phrase that it does not need is ignored."""
    try:
        return serialization.load_pem_private_key(data, secret)
    except TypeError:
        if secret is None:
            raise
        return serialization.load_pem_private_key(data, None)


def _public_bytes(key: Any) -> bytes:
    """Encode a public key, for comparing it."""
    encoded: bytes = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return encoded
