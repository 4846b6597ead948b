"""
What a program checks of its ports before it becomes a daemon.

At that time the shell still waits and standard error is still there, so what is wrong
can be said in a whole sentence (:mod:`rocketmq_tw.remoting.listener`). Ports are not
kept: one that is taken in the moment between is found when it is opened for good.

These functions block. Only taps call them, before the reactor runs.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from threading import Thread
from typing import Any

from twisted.python import usage

from rocketmq_tw.remoting.addresses import EndpointString, is_ip_address
from rocketmq_tw.remoting.listener import NameUnresolved, cannot_listen

#: Seconds that looking up a name to listen on may take. It is this host's own name, or
#: else nothing can listen there.
LOOKUP_LIMIT = 2.0

#: As ``socket.getaddrinfo``.
Lookup = Callable[..., list[Any]]


def resolve_interface(
    endpoint: str, lookup: Lookup = socket.getaddrinfo, limit: float = LOOKUP_LIMIT
) -> str:
    """
    Put an address in place of the host name that a port is opened on.

    Twisted would look it up when it opens the port, in the reactor's thread, and of
    IPv4 addresses only.

    :param endpoint: the endpoint string of a server.
    :returns: the same string where there is no host name.
    :raises NameUnresolved: the name has no address, or none was found in time.
    """
    parts = EndpointString.parse(endpoint)
    host = parts.interface
    if not parts.has_port or is_ip_address(host.partition("%")[0]):
        return endpoint
    found: list[Any] = []

    def look_up() -> None:
        try:
            found.extend(lookup(host, parts.port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            found.append(error)

    thread = Thread(target=look_up, name="lookup", daemon=True)
    thread.start()
    thread.join(limit)
    if not found:
        why = f"no response from DNS within {limit:g} s"
        raise NameUnresolved(endpoint, f"the name does not resolve: {why}")
    if isinstance(found[0], Exception):
        raise cannot_listen(endpoint, found[0])
    # IPv4 first, as a name without more is understood elsewhere.
    found.sort(key=lambda entry: entry[0] != socket.AF_INET)
    return str(parts.on_interface(found[0][4][0]))


def check_port(endpoint: str) -> None:
    """
    Find out whether a port could be opened now.

    :param endpoint: an endpoint string; kinds without a port are not checked.
    :raises CannotListen: it could not; ``PortTaken`` if another program has it.
    """
    parts = EndpointString.parse(endpoint)
    if not parts.has_port or not parts.port:
        return
    host = parts.interface
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As Twisted does: a port whose last connections are still closing is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, parts.port))
        except OSError as error:
            raise cannot_listen(endpoint, error) from None


def will_chroot(options: usage.Options) -> bool:
    """Whether ``twistd`` changes what paths mean once the program runs."""
    parent: Any = getattr(options, "parent", None)
    return bool(parent and parent.get("chroot"))
