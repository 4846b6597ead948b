"""
Checks of a program's ports before it becomes a daemon.

At that time the shell still waits and standard error is open, so the problem can be
printed as a sentence (:mod:`rocketmq_tw.remoting.listener`). Ports are not kept open: a
port that is taken in between causes an error when it is opened for good.

These functions block. Only taps call them, before the reactor runs.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from threading import Thread
from typing import Any

from twisted.python import usage

from rocketmq_tw.model.ip_address import is_ip_address
from rocketmq_tw.remoting.addresses import EndpointString
from rocketmq_tw.remoting.listen_errors import NameUnresolved, cannot_listen

#: Seconds that resolving the name to listen on may take. It must be a name of this
#: host.
LOOKUP_LIMIT = 2.0

#: The signature of ``socket.getaddrinfo``.
Lookup = Callable[..., list[Any]]


def resolve_interface(
    endpoint: str, lookup: Lookup = socket.getaddrinfo, limit: float = LOOKUP_LIMIT
) -> str:
    """
    Replace the host name in a server's endpoint string by its address.

    Twisted would resolve it when it opens the port, in the reactor's thread and to IPv4
    only.

    :param endpoint: the endpoint string of a server.
    :returns: the same string if it has no host name.
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
    # Prefer IPv4, as other programs do.
    found.sort(key=lambda entry: entry[0] != socket.AF_INET)
    return str(parts.on_interface(found[0][4][0]))


def check_port(endpoint: str) -> None:
    """
    Check that a port could be opened now.

    :param endpoint: an endpoint string; kinds without a port are not checked.
    :raises CannotListen: it cannot; ``PortTaken`` if another program has it.
    """
    parts = EndpointString.parse(endpoint)
    if not parts.has_port or not parts.port:
        return
    host = parts.interface
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As in Twisted: a port counts as free while its last connections are closing.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, parts.port))
        except OSError as error:
            raise cannot_listen(endpoint, error) from None


def will_chroot(options: usage.Options) -> bool:
    """Whether ``twistd`` is going to change the root directory."""
    parent: Any = getattr(options, "parent", None)
    return bool(parent and parent.get("chroot"))


def prepare_chroot(options: usage.Options) -> None:
    """
    Import what is used later, if ``twistd`` is going to change the root directory.

    :raises UnusableRoot: it lacks what Twisted opens there.
    """
    if will_chroot(options):
        from rocketmq_tw.remoting.chroot import check_root, import_servers

        parent: Any = getattr(options, "parent", None)
        check_root(parent["chroot"], changes_user=parent.get("uid") is not None)
        import_servers()
