"""
The contexts of OpenSSL: what is common to the TLS connections of one end.

TLS 1.2 and later, with forward secrecy and authenticated encryption; no compression, no
renegotiation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from OpenSSL import SSL

from rocketmq_tw.tls.errors import BadTlsFile
from rocketmq_tw.tls.files import (
    Credentials,
    check_dates,
    load_certificates,
    load_credentials,
)
from rocketmq_tw.tls.self_signed import self_signed
from rocketmq_tw.tls.settings import (
    INSECURE,
    BadTlsSetting,
    ClientAuth,
    ServerTls,
    Tls,
    cipher_names,
    protocol_names,
)

#: The suites of TLS 1.2; those of TLS 1.3 are all modern.
_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM"
_VERSIONS = {"TLSv1.2": SSL.TLS1_2_VERSION, "TLSv1.3": SSL.TLS1_3_VERSION}

#: SSL_MODE_RELEASE_BUFFERS: an idle connection keeps 32 KiB less.
_RELEASE_BUFFERS = 0x10
#: Sessions are resumed only by servers with the same identity.
_SESSION_ID = b"rocketmq_tw"

#: Is given the connection, certificate, error number, depth, and OpenSSL's verdict.
Verify = Callable[[Any, Any, int, int, int], bool]


def server_context(settings: ServerTls, now: float) -> SSL.Context:
    """
    Return the context of a server.

    :param now: the time of day, in seconds since the epoch.
    :raises BadTlsFile: a file cannot be used.
    :raises BadSetting: a cipher or version cannot be used.
    """
    context = _context(settings.ciphers, settings.protocols)
    if settings.certificate:
        credentials = load_credentials(
            settings="tls.server.",
            certificate=settings.certificate,
            key=settings.key or None,
            password=settings.key_password,
            now=now,
        )
    else:
        credentials = self_signed(now)
    _use(context, credentials, settings.certificate)
    context.set_session_id(_SESSION_ID)
    if settings.client_auth is not ClientAuth.NONE:
        _trust(context, "tls.server.trustCertPath", settings.client_ca, now)
        mode = SSL.VERIFY_PEER
        if settings.client_auth is ClientAuth.REQUIRE:
            mode |= SSL.VERIFY_FAIL_IF_NO_PEER_CERT
        context.set_verify(mode, None)
    return context


def client_context(settings: Tls, now: float, verify: Verify) -> SSL.Context:
    """
    Return the context of a client.

    :param verify: is asked about each certificate of a server's chain.
    :raises BadTlsFile: a file cannot be used.
    :raises BadSetting: a cipher or version cannot be used.
    """
    context = _context(settings.ciphers, settings.protocols)
    if settings.certificate:
        credentials = load_credentials(
            settings="tls.client.",
            certificate=settings.certificate,
            key=settings.key,
            password=settings.key_password,
            now=now,
        )
        _use(context, credentials, settings.certificate)
    if settings.verify == INSECURE:
        return context
    if settings.ca_file:
        _trust(context, "tls.client.trustCertPath", settings.ca_file, now)
    else:
        context.set_default_verify_paths()
    context.set_verify(SSL.VERIFY_PEER, verify)
    return context


def _context(ciphers: str | None, protocols: str | None) -> SSL.Context:
    """Return a context with the versions and ciphers that are allowed."""
    context = SSL.Context(SSL.TLS_METHOD)
    versions = [
        _VERSIONS[name] for name in protocol_names(protocols or "TLSv1.2:TLSv1.3")
    ]
    context.set_min_proto_version(min(versions))
    context.set_max_proto_version(max(versions))
    context.set_options(
        SSL.OP_NO_COMPRESSION
        | SSL.OP_NO_RENEGOTIATION
        | SSL.OP_CIPHER_SERVER_PREFERENCE
    )
    context.set_mode(_RELEASE_BUFFERS)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    old, new = cipher_names(ciphers) if ciphers else (_CIPHERS, "")
    try:
        if old:
            context.set_cipher_list(old.encode())
        if new:
            context.set_tls13_ciphersuites(new.encode())
    except SSL.Error:
        raise BadTlsSetting(f'tls.ciphers is "{ciphers}": OpenSSL lacks them') from None
    return context


def _use(context: SSL.Context, credentials: Credentials, path: str) -> None:
    """Let a context show a certificate."""
    try:
        context.use_certificate(credentials.chain[0])
        for each in credentials.chain[1:]:
            context.add_extra_chain_cert(each)
        context.use_privatekey(credentials.key)
    except (SSL.Error, TypeError) as error:
        why = f"cannot be used by OpenSSL: {error}"
        raise BadTlsFile("certificate", path, why) from None


def _trust(context: SSL.Context, key: str, path: str, now: float) -> None:
    """Let a context trust the authorities of a file, and no others."""
    authorities = load_certificates(key, path)
    if len(authorities) == 1:
        check_dates(key, path, authorities, now)
    try:
        context.load_verify_locations(path)
    except SSL.Error as error:
        raise BadTlsFile(key, path, f"cannot be used by OpenSSL: {error}") from None
