"""A browser in memory: it sends bytes to the console, and reads responses."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from rocketmq_tw.console.api.session import About
from rocketmq_tw.console.config import ConsoleConfig
from rocketmq_tw.console.parts import ConsoleParts
from rocketmq_tw.console.web.assets import load_assets
from tests.admin.cases import AdminCase

#: The token of all consoles of tests.
TOKEN = "a-token-for-tests"
HOST = "127.0.0.1:8080"


class Response(msgspec.Struct):
    """A response, in parts."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """What the body says."""
        return json.loads(self.body)

    @property
    def error(self) -> str:
        """The sentence of a refusal."""
        return str(self.json["error"])


class Wire:
    """One connection."""

    def __init__(self, parts: ConsoleParts, host: str = "127.0.0.1") -> None:
        self.channel: Any = parts.factory.buildProtocol(IPv4Address("TCP", host, 5555))
        self.transport: Any = None
        if self.channel is not None:
            peer = IPv4Address("TCP", host, 5555)
            self.transport = StringTransport(peerAddress=peer)
            self.channel.makeConnection(self.transport)

    @property
    def is_closed(self) -> bool:
        """Whether the console closed it."""
        transport = self.transport
        return bool(transport.disconnecting or transport.disconnected)

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self.channel.dataReceived(data)

    def read(self) -> Response | None:
        """Return the response that has come; None if it is not complete."""
        head, separator, body = self.transport.value().partition(b"\r\n\r\n")
        if not separator:
            return None
        line, *lines = head.decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (each.partition(":") for each in lines)
        }
        length = headers.get("content-length")
        if length is not None and len(body) < int(length):
            return None
        return Response(int(line.split(" ")[1]), headers, body)


def request_bytes(
    method: str, path: str, body: bytes = b"", **headers: str | None
) -> bytes:
    """Return a request; a header that is None is left out."""
    named: dict[str, str | None] = {"Host": HOST}
    if body:
        named["Content-Length"] = str(len(body))
        named["Content-Type"] = "application/json"
    named.update({name.replace("_", "-"): value for name, value in headers.items()})
    lines = [f"{method} {path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in named.items() if value is not None]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


class Visits:
    """
    A console, and browsers of it.

    :param wait: lets time pass until a condition holds.
    :cvar host: where browsers are.
    """

    host = "127.0.0.1"

    def __init__(
        self,
        clock: Any,
        admin: Any,
        wait: Callable[[Callable[[], object]], None] | None = None,
        *,
        is_secure: bool = False,
        **settings: Any,
    ) -> None:
        config = ConsoleConfig(listen="tcp:8080", token=TOKEN, **settings)
        about = About("broker-a", "1.0")
        self.parts = ConsoleParts(
            clock,
            config,
            assets=load_assets(),
            admin=admin,
            about=about,
            is_secure=is_secure,
        )
        self._wait = wait or (lambda condition: None)

    def request(
        self, method: str, path: str, body: Any = None, **headers: str | None
    ) -> Response:
        """Send a request on a connection of its own, and return the response."""
        wire = Wire(self.parts, self.host)
        content = b"" if body is None else json.dumps(body).encode()
        wire.send(request_bytes(method, path, content, **headers))
        self._wait(wire.read)
        response = wire.read()
        assert response is not None, "there is no response"
        return response

    def get(self, path: str, **headers: str | None) -> Response:
        """Read something, signed in."""
        return self.request("GET", path, **{"Authorization": BEARER, **headers})

    def post(self, path: str, body: Any, **headers: str | None) -> Response:
        """Do something, signed in."""
        return self.request("POST", path, body, **{"Authorization": BEARER, **headers})


BEARER = f"Bearer {TOKEN}"


class HttpCase(SynchronousTestCase):
    """A console that has no cluster: what needs none is tested."""

    settings: dict[str, Any] = {}

    def setUp(self) -> None:
        """Make the console."""
        self.clock = Clock()
        self.clock.advance(1_700_000_000)
        self.visits = Visits(self.clock, None, **self.settings)


class ConsoleCase(AdminCase):
    """A console of a cluster in memory."""

    brokers = 1

    def setUp(self) -> None:
        """Make the console."""
        super().setUp()
        self.visits = Visits(
            self.cluster.clock, self.admin, lambda done: self.cluster.wait_until(done)
        )

    def get(self, path: str) -> Any:
        """Return what the console responds with."""
        response = self.visits.get(path)
        self.assertEqual(response.status, 200, response.body)
        return response.json

    def post(self, path: str, body: Any) -> Any:
        """Do something; return what the console responds with."""
        response = self.visits.post(path, body)
        self.assertEqual(response.status, 200, response.body)
        return response.json
