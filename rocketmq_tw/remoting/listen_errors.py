"""
Why a port could not be opened, as sentences for operators.

They stand apart from :mod:`rocketmq_tw.remoting.listener`, since a program checks its
ports before it imports what opens them (:mod:`rocketmq_tw.remoting.transports`).
"""

from __future__ import annotations

import errno
import os
import socket

from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.remoting.addresses import EndpointString


class CannotListen(RocketMQError):
    """
    A port could not be opened.

    :param endpoint: the endpoint string, e.g. ``tcp:9876``.
    :param why: the reason that the operating system gave.
    """

    def __init__(self, endpoint: str, why: str) -> None:
        super().__init__(endpoint, why)
        self.endpoint = endpoint
        self.why = why

    def __str__(self) -> str:
        return f"cannot listen on {_described(self.endpoint)}: {self.why}"


class PortTaken(CannotListen):
    """Another program listens on the port."""

    def __str__(self) -> str:
        return f"{_described(self.endpoint)} is in use: {self.why}"


class NameUnresolved(CannotListen):
    """The host name to listen on does not resolve."""


def cannot_listen(endpoint: str, error: object) -> CannotListen:
    """Return the error that explains why a socket could not be bound."""
    number = getattr(error, "errno", None)
    if isinstance(error, socket.gaierror):
        why = error.strerror or str(error)
        return NameUnresolved(endpoint, f"the name does not resolve: {why}")
    if number == errno.EADDRINUSE:
        return PortTaken(endpoint, "another program listens there")
    return CannotListen(endpoint, os.strerror(number) if number else str(error))


def _described(endpoint: str) -> str:
    """Describe an endpoint to users: ``port 9876`` rather than ``tcp:9876``."""
    parts = EndpointString.parse(endpoint)
    try:
        port = parts.port
    except ValueError:
        return endpoint
    host = parts.single_interface
    return f"port {port} of {host}" if host else f"port {port}"
