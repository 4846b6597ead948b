"""
Addresses: the wire's ``host:port`` and Twisted's endpoint strings.

The wire format has ``10.0.0.1:10911`` and ``[::1]:10911``. Users may also write
endpoint strings: ``tcp:10911``, ``unix:/run/mq``, ``tls:host:port``.

An endpoint string is a kind followed by arguments, by position or by name, all
separated by colons; a backslash escapes the next character::

    tcp:9876:interface=\\:\\:1:backlog=50
    kind, port, named arguments
"""

from __future__ import annotations

import re
from typing import Self

import msgspec

from rocketmq_tw.model.msgid import host_to_bytes

#: The host in records if the peer has no IP address: the local one.
NO_HOST = b"\x7f\0\0\1\0\0\0\0"

#: The highest port number.
MAX_PORT = 65535

_PROXIED = "haproxy:"
_SCHEME = re.compile(r"[a-z][a-z0-9]*:")
#: A backslash at the end escapes nothing; without it each character before it would be
#: the start of another search.
_PIECE = re.compile(r"((?:[^\\:]|\\.)*+)\\?(?::|\Z)", re.DOTALL)
_NAMED = re.compile(r"((?:[^\\=]|\\.)*+)=(.*)", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_SPECIAL = re.compile(r"([\\:=])")

#: The index of the interface among the arguments of a kind, and its default.
_INTERFACES = {"tcp": (1, "0.0.0.0"), "tcp6": (2, "::"), "ssl": (4, "0.0.0.0")}
#: The position of the backlog among the arguments of a kind.
_BACKLOGS = {"tcp": 2, "tcp6": 1, "ssl": 5, "unix": 2}
#: Addresses that mean all interfaces, and the address by which this host reaches
#: itself.
_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}


class EndpointString(msgspec.Struct, frozen=True):
    """
    A parsed endpoint string of a server; its pieces are not escaped.

    :ivar arguments: the positional arguments.
    :ivar options: the named arguments.
    :ivar is_proxied: whether it begins with ``haproxy:``: connections come through a
        proxy (:mod:`rocketmq_tw.remoting.proxied`).
    """

    kind: str
    arguments: tuple[str, ...]
    options: dict[str, str]
    is_proxied: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """Split a string into its pieces, without checking them."""
        is_proxied = text.startswith(_PROXIED)
        text = text.removeprefix(_PROXIED)
        pieces = [found[1] for found in _PIECE.finditer(text)]
        if text:
            pieces.pop()  # the empty match at the end
        arguments: list[str] = []
        options: dict[str, str] = {}
        for piece in pieces[1:]:
            named = _NAMED.fullmatch(piece)
            if named is None:
                arguments.append(_unescape(piece))
            else:
                options[_unescape(named[1])] = _unescape(named[2])
        kind = _unescape(pieces[0]) if pieces else ""
        return cls(kind, tuple(arguments), options, is_proxied)

    @property
    def has_port(self) -> bool:
        """Whether this kind of endpoint listens on a port of a host."""
        return self.kind in _INTERFACES

    @property
    def port(self) -> int:
        """
        The port to listen on; 0 lets the system choose.

        :raises ValueError: there is no port, or it is not valid.
        """
        text = self.options.get("port", self.arguments[0] if self.arguments else "")
        if not self.has_port or not text.isdecimal() or int(text) > MAX_PORT:
            raise ValueError(f'"{self}" has no port from 0 to {MAX_PORT}')
        return int(text)

    @property
    def interface(self) -> str:
        """The host on which the port is opened; ``0.0.0.0`` or ``::`` for all."""
        position, default = _INTERFACES.get(self.kind, (0, ""))
        given = self.options.get("interface", "")
        if 0 < position < len(self.arguments):
            given = self.arguments[position]
        return given or default

    @property
    def single_interface(self) -> str | None:
        """The host on which the port is opened; None if that is all interfaces."""
        host = self.interface
        return None if host in _WILDCARDS else host

    def with_backlog(self, backlog: int) -> EndpointString:
        """Copy it, with a length of the queue of connections unless it has one."""
        position = _BACKLOGS.get(self.kind)
        is_given = "backlog" in self.options
        if position is None or is_given or position < len(self.arguments):
            return self
        options = {**self.options, "backlog": str(backlog)}
        return msgspec.structs.replace(self, options=options)

    def on_interface(self, host: str) -> EndpointString:
        """Return a copy with another host."""
        position = _INTERFACES[self.kind][0]
        arguments, options = list(self.arguments), dict(self.options)
        if position < len(arguments):
            arguments[position] = host
        else:
            options["interface"] = host
        return msgspec.structs.replace(
            self, arguments=tuple(arguments), options=options
        )

    def on_port(self, port: int) -> EndpointString:
        """Return a copy with another port, as its first argument."""
        options = {name: v for name, v in self.options.items() if name != "port"}
        rest = self.arguments if "port" in self.options else self.arguments[1:]
        arguments = (str(port), *rest)
        return msgspec.structs.replace(self, arguments=arguments, options=options)

    def without_proxy(self) -> EndpointString:
        """Return a copy whose connections come directly."""
        return msgspec.structs.replace(self, is_proxied=False)

    def __str__(self) -> str:
        named = [f"{_escape(name)}={_escape(v)}" for name, v in self.options.items()]
        pieces = [self.kind, *map(_escape, self.arguments), *named]
        return (_PROXIED if self.is_proxied else "") + ":".join(pieces)


def split_host_port(address: str) -> tuple[str, int]:
    """
    Split ``host:port``; brackets around the host are removed.

    :raises ValueError: it is not of that form, or the port is not 1 to 65535.
    """
    host, colon, port = address.strip().rpartition(":")
    if not colon or not host or not port.isdecimal() or not 0 < int(port) <= MAX_PORT:
        raise ValueError(f'"{address}" is not host:port')
    return without_brackets(host), int(port)


def host_port(host: str, port: int) -> str:
    """Return ``host:port``, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def without_brackets(host: str) -> str:
    """Remove the brackets around an IPv6 address, if there are any."""
    return host[1:-1] if host.startswith("[") and host.endswith("]") else host


def is_endpoint(address: str) -> bool:
    """Whether this is an endpoint string rather than ``host:port``."""
    if address.startswith("[") or not _SCHEME.match(address):
        return False
    kind, _, rest = address.partition(":")
    return kind in ("unix", "tls", "ssl") or ":" in rest or "=" in rest


def client_endpoint(address: str, template: str = "tcp:{host}:{port}") -> str:
    """
    Return the endpoint string that connects to an address.

    :param template: the endpoint string for ``host:port``.
    """
    if is_endpoint(address):
        return address
    host, port = split_host_port(address)
    return template.format(host=_escape(host), port=port)


def host_to_verify(address: str) -> str | None:
    """
    Return the host that a server's certificate must be for.

    :param address: ``host:port``, or a client's endpoint string.
    :returns: None if the endpoint string has TLS itself.
    """
    if not is_endpoint(address):
        return split_host_port(address)[0]
    parts = EndpointString.parse(address)
    if parts.kind in ("tls", "ssl"):
        return None
    if parts.kind == "unix":
        return "localhost"
    first = parts.arguments[0] if parts.arguments else "localhost"
    return parts.options.get("host", first)


def server_endpoint(listen: str, interface: str = "") -> str:
    """
    Return the endpoint string that listens at an address.

    :param listen: a port, ``host:port``, or an endpoint string, which stays as it is.
    :param interface: the address for a bare port; all addresses if empty.
    :raises ValueError: it is none of these.
    """
    text = listen.strip()
    if text.isdecimal():
        if int(text) > MAX_PORT:
            raise ValueError(f'"{listen}" is not a port: the highest is {MAX_PORT}')
        where = f":interface={_escape(interface)}" if interface else ""
        return f"tcp:{text}{where}"
    parts = EndpointString.parse(text)
    if parts.has_port:
        try:
            parts.port  # noqa: B018 - for the error it raises
        except ValueError:
            raise ValueError(
                f'"{listen}" has no port; expected {parts.kind}:PORT...'
            ) from None
        return text
    if parts.kind in ("unix", "systemd"):
        return text
    host, port = split_host_port(text)
    return f"tcp:{port}:interface={_escape(host)}"


def dial_address(endpoint: str) -> str:
    """
    Return the address at which a client on this host reaches a server.

    :param endpoint: the server's endpoint string.
    :returns: ``host:port``, or a client's endpoint string for ``unix:`` and ``ssl:``.
    :raises ValueError: the string does not contain it.
    """
    parts = EndpointString.parse(endpoint)
    if parts.kind == "unix" and not parts.is_proxied:
        path = parts.options.get("address", "")
        return f"unix:{_escape(parts.arguments[0] if parts.arguments else path)}"
    if not parts.has_port or not parts.port:
        raise ValueError(
            f'"{endpoint}" does not say where clients connect to;'
            " expected a port, host:port, or tcp:, tcp6:, ssl: or unix: with an address"
        )
    host = _WILDCARDS.get(parts.interface, parts.interface)
    if parts.kind == "ssl":
        return f"ssl:{_escape(host)}:{parts.port}"
    return host_port(host, parts.port)


def is_loopback_endpoint(text: str) -> bool:
    """
    Whether only this machine can connect to an endpoint string of a server.

    Behind a proxy everybody can.
    """
    parts = EndpointString.parse(text)
    if parts.is_proxied:
        return False
    host = parts.single_interface or ""
    return parts.kind == "unix" or host.startswith("127.") or host == "::1"


def peer_address(peer: object) -> tuple[str, bytes]:
    """
    Return the address of a peer as ``host:port``, and encoded as in records.

    :param peer: Twisted's address object; without a host, its ``str`` is used as
        the first result.
    """
    host, port = getattr(peer, "host", None), getattr(peer, "port", 0)
    if not host:
        return str(peer), NO_HOST
    try:
        host_bytes = host_to_bytes(host.partition("%")[0], port)
    except ValueError:
        host_bytes = NO_HOST
    return host_port(host, port), host_bytes


def _escape(text: str) -> str:
    """Escape the special characters of a piece."""
    return _SPECIAL.sub(r"\\\1", text)


def _unescape(text: str) -> str:
    """Undo :func:`_escape`."""
    return _ESCAPED.sub(r"\1", text)
