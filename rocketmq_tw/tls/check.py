"""
Dials a server, and says in plain words what is wrong with its TLS.

Unlike a client it goes on after a problem, to find all of them. It blocks, and needs no
reactor.

Source: none; with Apache RocketMQ one uses ``openssl s_client``.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from OpenSSL import SSL

from rocketmq_tw.model.topic import AUTO_CREATE_TOPIC
from rocketmq_tw.tls.contexts import client_context
from rocketmq_tw.tls.explain import certificate_problem, handshake_problem
from rocketmq_tw.tls.files import name_of
from rocketmq_tw.tls.names import announce, certificate_of, is_for, names_of
from rocketmq_tw.tls.settings import INSECURE, Tls
from rocketmq_tw.wire.command import encode_request
from rocketmq_tw.wire.errors import RemoteProtocolError
from rocketmq_tw.wire.frame import FrameDecoder
from rocketmq_tw.wire.requests.route import GetRoute

#: Seconds to wait for a connection, and for each thing that the server says.
PATIENCE = 5.0
#: Days before its end in which a certificate is worth a remark.
NEAR_END = 30
_DAY = 86400


class Line(msgspec.Struct, frozen=True):
    """
    One thing that was found.

    :ivar is_good: False for what keeps clients from being served by TLS.
    """

    is_good: bool
    text: str


class _Stopped(Exception):
    """Nothing more can be found; the argument is the last line."""


def check(
    host: str, port: int, tls: Tls, now: float, patience: float = PATIENCE
) -> list[Line]:
    """
    Return what is found at an address, in the order in which it is.

    :param tls: what a client would use.
    :param now: the time of day, in seconds since the epoch.
    :raises RocketMQError: a file of ``tls`` cannot be used.
    """
    problems: list[str] = []

    def note(_c: Any, certificate: Any, number: int, _depth: int, is_good: int) -> bool:
        if not is_good:
            name = name_of(certificate.to_cryptography())
            problems.append(f"{name}: {certificate_problem(number)}")
        return True

    context = client_context(tls, now, note)
    lines: list[Line] = []
    try:
        with _dialled(host, port, patience) as dialled:
            lines.append(Line(True, f"{host}:{port} accepts connections"))
            name = tls.server_name or host
            secure = _handshake(context, dialled, name)
            lines += _described(secure, name, problems, tls, now)
            lines.append(_serves(_secure_stream(secure, dialled), "by TLS"))
    except _Stopped as stop:
        lines.append(Line(False, str(stop)))
    if lines[0].is_good:
        lines.append(_plain(host, port, patience, lines[-1].is_good))
    return lines


@contextmanager
def _dialled(host: str, port: int, patience: float) -> Iterator[socket.socket]:
    """Connect."""
    try:
        dialled = socket.create_connection((host, port), patience)
    except (socket.gaierror, UnicodeError) as error:
        raise _Stopped(f"{host} does not resolve: {error}") from None
    except TimeoutError:
        why = "a firewall may be between, or the host is down"
        raise _Stopped(f"no response from {host}:{port}: {why}") from None
    except OSError as error:
        raise _Stopped(f"nothing listens at {host}:{port}: {error.strerror}") from None
    with dialled:
        yield dialled


def _handshake(
    context: SSL.Context, dialled: socket.socket, name: str
) -> SSL.Connection:
    """Make the handshake, whatever the certificate is."""
    secure = SSL.Connection(context, None)
    secure.set_connect_state()
    announce(secure, name)
    try:
        while True:
            try:
                secure.do_handshake()
                _send_encrypted(secure, dialled)
                return secure
            except SSL.WantReadError:
                _send_encrypted(secure, dialled)
                secure.bio_write(_received(dialled))
    except SSL.Error as error:
        raise _Stopped(f"no TLS: {handshake_problem(error)}") from None


def _described(
    secure: SSL.Connection, name: str, problems: list[str], tls: Tls, now: float
) -> Iterator[Line]:
    """Say which TLS there is, and what is right and wrong with the certificate."""
    version, cipher = secure.get_protocol_version_name(), secure.get_cipher_name()
    yield Line(True, f"TLS is spoken: {version} with {cipher}")
    certificate = certificate_of(secure)
    end = certificate.not_valid_after_utc
    yield Line(
        True,
        f"its certificate is for {names_of(certificate)}, until {end:%Y-%m-%d}",
    )
    left = (end.timestamp() - now) / _DAY
    if 0 < left < NEAR_END:
        yield Line(True, f"it expires in {left:.0f} days")
    if tls.verify == INSECURE:
        yield Line(True, "it was not verified")
        return
    for problem in dict.fromkeys(problems):
        yield Line(False, f"clients refuse the certificate of {problem}")
    if not is_for(secure, name):
        yield Line(False, f"clients refuse it: it is not for {name}")


def _serves(stream: _Stream, how: str) -> Line:
    """Send a request, and say what comes of it."""
    try:
        stream.send(encode_request(GetRoute(topic=AUTO_CREATE_TOPIC), 1))
        decoder = FrameDecoder()
        while not decoder.feed(stream.receive()):
            if decoder.error is not None:
                raise decoder.error
    except SSL.Error as error:
        return Line(False, f"requests are not served {how}: {handshake_problem(error)}")
    except (_Stopped, OSError) as error:
        return Line(False, f"requests are not served {how}: {error}")
    except RemoteProtocolError:
        return Line(False, f"what is served {how} is not RocketMQ")
    return Line(True, f"requests are served {how}")


def _plain(host: str, port: int, patience: float, has_tls: bool) -> Line:
    """Say whether plain connections are accepted, too; or only they are."""
    try:
        with _dialled(host, port, patience) as dialled:
            line = _serves(_plain_stream(dialled), "without TLS")
    except _Stopped as stop:
        return Line(has_tls, str(stop))
    if not line.is_good:
        return Line(True, "plain connections are not served")
    if has_tls:
        return Line(True, "plain connections are served, too (mode permissive)")
    return Line(
        False,
        "plain connections are served: the server has no certificate, or its"
        " tls.server.mode is disabled; or it is permissive, see above",
    )


def _send_encrypted(secure: SSL.Connection, dialled: socket.socket) -> None:
    """Send what OpenSSL has to say; if that fails, what the server said is read."""
    try:
        while True:
            dialled.sendall(secure.bio_read(65536))
    except (SSL.WantReadError, OSError):
        pass


def _received(dialled: socket.socket) -> bytes:
    """Wait for bytes."""
    try:
        data = dialled.recv(65536)
    except TimeoutError:
        raise _Stopped("the server says nothing") from None
    except OSError:
        data = b""
    if not data:
        raise _Stopped("the server closes the connection")
    return data


class _Stream(msgspec.Struct, frozen=True):
    """Bytes in both directions."""

    send: Callable[[bytes], None]
    receive: Callable[[], bytes]


def _plain_stream(dialled: socket.socket) -> _Stream:
    """Return the bytes of a socket."""
    return _Stream(dialled.sendall, lambda: _received(dialled))


def _secure_stream(secure: SSL.Connection, dialled: socket.socket) -> _Stream:
    """Return the bytes of a connection with TLS."""

    def send(data: bytes) -> None:
        secure.sendall(data)
        _send_encrypted(secure, dialled)

    def receive() -> bytes:
        while True:
            try:
                return secure.recv(65536)
            except SSL.WantReadError:
                secure.bio_write(_received(dialled))

    return _Stream(send, receive)
