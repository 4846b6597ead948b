"""Names of servers: the one that a client expects, and those in a certificate."""

from __future__ import annotations

from cryptography import x509
from OpenSSL import SSL
from service_identity import CertificateError, VerificationError
from service_identity.pyopenssl import verify_hostname, verify_ip_address

from rocketmq_tw.model.ip_address import is_ip_address
from rocketmq_tw.tls.errors import TlsFailed


def announce(connection: SSL.Connection, name: str) -> None:
    """
    Let a client say whom it expects, as a server may have several certificates.

    :raises TlsFailed: no host can have that name.
    """
    if is_ip_address(name):
        return
    try:
        encoded = name.rstrip(".").encode("idna")
    except UnicodeError as error:
        raise TlsFailed(f'"{name}" is not the name of a host: {error}') from None
    connection.set_tlsext_host_name(encoded)


def is_for(connection: SSL.Connection, name: str) -> bool:
    """Whether the certificate that a server has shown is for a name or address."""
    verify = verify_ip_address if is_ip_address(name) else verify_hostname
    try:
        verify(connection, name)
    except (VerificationError, CertificateError):
        return False
    return True


def certificate_of(connection: SSL.Connection) -> x509.Certificate:
    """Return the certificate that a server has shown."""
    found = connection.get_peer_certificate()
    assert found is not None, "servers always show one"
    return found.to_cryptography()


def names_of(certificate: x509.Certificate) -> str:
    """Return the names and addresses that a certificate is for, in words."""
    try:
        found = certificate.extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
    except (x509.ExtensionNotFound, ValueError):
        return "no name or address"
    names = found.value.get_values_for_type(x509.DNSName)
    names += map(str, found.value.get_values_for_type(x509.IPAddress))
    return ", ".join(names) or "no name or address"
