"""
Addresses: the wire's ``host:port`` and Twisted's endpoint strings.

The wire knows ``10.0.0.1:10911`` and ``[::1]:10911``. Where a person writes an address,
an endpoint string is welcome too: ``tcp:10911``, ``unix:/run/mq``, ``tls:host:port``.
"""

from __future__ import annotations

import re

from rocketmq_tw.model.msgid import host_to_bytes

#: How records write a host that is no IP address: as the local one.
NO_HOST = b"\x7f\0\0\1\0\0\0\0"

_SCHEME = re.compile(r"[a-z][a-z0-9]*:")


def split_host_port(address: str) -> tuple[str, int]:
    """
    Take ``host:port`` apart; the host loses its brackets.

    :raises ValueError: it is not of that form, or the port is not 1 to 65535.
    """
    host, colon, port = address.strip().rpartition(":")
    if not colon or not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(f'"{address}" is not host:port')
    return host.strip("[]"), int(port)


def is_endpoint(address: str) -> bool:
    """Whether this is an endpoint string rather than ``host:port``."""
    if address.startswith("[") or not _SCHEME.match(address):
        return False
    kind, _, rest = address.partition(":")
    return kind in ("unix", "tls", "ssl") or ":" in rest or "=" in rest


def client_endpoint(address: str, template: str = "tcp:{host}:{port}") -> str:
    """
    Write the endpoint string that connects to an address.

    :param template: how a ``host:port`` becomes an endpoint string.
    """
    if is_endpoint(address):
        return address
    host, port = split_host_port(address)
    return template.format(host=host.replace(":", r"\:"), port=port)


def server_endpoint(listen: str, interface: str = "") -> str:
    """
    Write the endpoint string that listens.

    :param listen: a port, ``host:port``, or an endpoint string, which stays as it is.
    :raises ValueError: none of these.
    """
    text = listen.strip()
    if text.isdigit():
        if int(text) > 65535:
            raise ValueError(f'"{listen}" is no port: the largest is 65535')
        where = f":interface={interface}" if interface else ""
        return f"tcp:{text}{where}"
    kind, _, rest = text.partition(":")
    if kind in ("tcp", "tcp6", "ssl"):
        port = rest.partition(":")[0].removeprefix("port=")
        if not port.isdigit() or int(port) > 65535:
            raise ValueError(f'"{listen}" has no port; expected {kind}:PORT...')
        return text
    if kind in ("unix", "systemd", "haproxy"):
        return text
    host, port = split_host_port(text)
    escaped = host.replace(":", r"\:")
    return f"tcp:{port}:interface={escaped}"


def peer_address(peer: object) -> tuple[str, bytes]:
    """
    Give a connection's other end as ``host:port`` and as records write it.

    :param peer: Twisted's address of it; one without a host is named as it names
        itself.
    """
    host, port = getattr(peer, "host", None), getattr(peer, "port", 0)
    if not host:
        return str(peer), NO_HOST
    shown = f"[{host}]" if ":" in host else host
    try:
        packed = host_to_bytes(host.partition("%")[0], port)
    except ValueError:
        packed = NO_HOST
    return f"{shown}:{port}", packed
