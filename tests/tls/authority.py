"""A certificate authority for tests, and the files of those that it signs."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

#: When certificates begin by default, long before any test runs.
BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
#: When they end.
END = datetime(2090, 1, 1, tzinfo=UTC)
#: A time of day between both, in seconds since the epoch.
NOW = datetime(2030, 1, 1, tzinfo=UTC).timestamp()

_PEM = serialization.Encoding.PEM


class Authority:
    """
    An authority, whose files are all in one folder.

    :ivar ca: the file of its certificate.
    """

    def __init__(self, folder: str, name: str = "test authority") -> None:
        os.makedirs(folder, exist_ok=True)
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        self._certificate = (
            _builder(self._name, self._name, self._key.public_key(), BEGIN, END)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
            .sign(self._key, hashes.SHA256())
        )
        self.ca = self._write("ca.pem", self._certificate.public_bytes(_PEM))

    def issue(
        self,
        name: str = "server",
        hosts: Sequence[str] = ("localhost", "127.0.0.1"),
        *,
        begin: datetime = BEGIN,
        end: datetime = END,
        key: Any = None,
        password: str | None = None,
        traditional: bool = False,
        self_signed: bool = False,
    ) -> tuple[str, str]:
        """
        Sign a certificate.

        :param hosts: names and addresses that it is for.
        :param traditional: write the key in the form before PKCS#8.
        :returns: the files of the certificate and of its key.
        """
        key = key or ec.generate_private_key(ec.SECP256R1())
        issuer = _name(name) if self_signed else self._name
        names = x509.SubjectAlternativeName([_general(host) for host in hosts])
        built = _builder(_name(name), issuer, key.public_key(), begin, end)
        certificate = built.add_extension(names, False).sign(
            key if self_signed else self._key, hashes.SHA256()
        )
        form = serialization.PrivateFormat
        secret = (
            serialization.BestAvailableEncryption(password.encode())
            if password
            else serialization.NoEncryption()
        )
        text = key.private_bytes(
            _PEM, form.TraditionalOpenSSL if traditional else form.PKCS8, secret
        )
        return (
            self._write(f"{name}.pem", certificate.public_bytes(_PEM)),
            self._write(f"{name}.key", text),
        )

    def _write(self, name: str, data: bytes) -> str:
        path = os.path.join(self._folder, name)
        with open(path, "wb") as file:
            file.write(data)
        return os.path.abspath(path)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: Any, begin: datetime, end: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _general(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
