"""Stand-ins for what the broker's tables and processors work with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.testing import StringTransport

from rocketmq_tw.broker.tables.clients import Client
from rocketmq_tw.jsonfile import JsonFile
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.wire.command import Command
from rocketmq_tw.wire.fields import Response

T = TypeVar("T")


class MemoryFile(JsonFile):
    """A document that is kept in memory, and counts how often it was written."""

    def __init__(self, text: bytes | None = None) -> None:
        super().__init__("memory.json")
        self.text = text
        self.writes = 0
        self.error: OSError | None = None

    def load_as(self, decode: Callable[[bytes], T]) -> T | None:
        """Decode the text."""
        return None if self.text is None else decode(self.text)

    def save(self, document: bytes) -> None:
        """Take the text, or fail as told."""
        if self.error is not None:
            raise self.error
        self.text = document
        self.writes += 1


class MemoryConnection:
    """
    A client's connection that remembers what was sent to it.

    :ivar is_write_blocked: the client does not read; see :meth:`drain`.
    """

    def __init__(self, address: str = "10.0.0.9:4000") -> None:
        self.address = address
        # From 192.168.1.1 to 10.0.0.1, unless a test says otherwise.
        self.transport = StringTransport()
        self.is_write_blocked = False
        self.is_connected = True
        self.last_seen = 0.0
        self._drained: list[Deferred[None]] = []
        self.told: list[Any] = []
        self.closed = False

    def call_one_way(self, request: Any) -> None:
        """Remember the request."""
        self.told.append(request)

    def when_writable(self) -> Deferred[None]:
        """Fire when it is drained."""
        self._drained.append(Deferred())
        return self._drained[-1]

    def drain(self) -> None:
        """Let the client read."""
        self.is_write_blocked = False
        drained, self._drained = self._drained, []
        for each in drained:
            each.callback(None)

    def close(self) -> None:
        """Note that it was closed."""
        self.closed = True


class RespondingConnection(MemoryConnection):
    """
    The connection of a client that responds when the test says so.

    :ivar asked: the requests that it got, and their time-outs.
    :ivar response: of the latest of them.
    """

    def __init__(self, address: str = "10.0.0.9:4000") -> None:
        super().__init__(address)
        self.asked: list[tuple[Any, float]] = []
        self.response: Deferred[Response] = Deferred()

    def call(self, request: Any, timeout: float) -> Deferred[Response]:
        """Remember the request."""
        self.asked.append((request, timeout))
        self.response = Deferred()
        return self.response


def call_from(peer: Any, now: float) -> Call:
    """Make the call of a request that a Java client's connection received then."""
    peer.last_seen = now
    return Call(Command(language="JAVA", version=479), peer, now)


def client_of(
    peer: Any,
    now: float = 0.0,
    *,
    client_id: str = "client",
    language: str = "JAVA",
    version: int = 479,
) -> Client:
    """Make a client as the table of clients keeps it."""
    return Client(
        peer=peer,
        client_id=client_id,
        language=language,
        version=version,
        last_seen=now,
    )
