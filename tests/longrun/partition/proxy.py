"""
A byte proxy whose connections can be held, frozen, delayed, reset and refused.

    python -m tests.longrun.partition.proxy

Standard input brings commands, one JSON object a line; each is answered by a line. The
process ends when its input ends.

========  ==============================================================================
``open``  listen on ``host:port`` for a link, and connect what comes to ``target``
``hold``  let no byte of a direction pass, nor the end of a connection; what comes is
          kept by the kernel of the sender, and passes after ``pass``: a partition. New
          connections wait, too
freeze    hold those connections that are there, for good; new ones pass: half-open
``pass``  end ``hold`` and ``delay``; listen again
delay     pass each byte so many seconds later
``cut``   reset all connections
refuse    reset all connections, and listen no more
status    say how many connections there are and were, and when the last was made
========  ==============================================================================

A direction is ``up``, from who connects to the target, or ``down``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.stdio import StandardIO
from twisted.internet.task import react
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

from rocketmq_tw.clock import use_monotonic_time

UP, DOWN = "up", "down"
BOTH = (UP, DOWN)


@implementer(IPushProducer)
class End(Protocol):
    """
    One end of a connection: what comes here leaves at the other end.

    It is not read while its direction is held, nor while the other end is over its
    buffer limit, or is not there yet.
    """

    def __init__(self, connection: Connection, direction: str) -> None:
        self._connection = connection
        self._direction = direction
        self._is_full = False
        self.is_lost = False

    def connectionMade(self) -> None:
        """Wait for the other end."""
        transport: Any = self.transport
        transport.setTcpNoDelay(True)
        self._connection.made(self)

    def dataReceived(self, data: bytes) -> None:
        """Pass it on."""
        self._connection.passed(self._direction, data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Pass that on, too."""
        self.is_lost = True
        self._connection.lost()

    def write(self, data: bytes) -> None:
        """Send what came at the other end."""
        if not self.is_lost:
            transport: Any = self.transport
            transport.write(data)

    def close(self) -> None:
        """Send what is left, and close."""
        if not self.is_lost:
            transport: Any = self.transport
            transport.unregisterProducer()
            transport.loseConnection()

    def abort(self) -> None:
        """Reset the connection."""
        if not self.is_lost:
            transport: Any = self.transport
            transport.abortConnection()

    def update(self) -> None:
        """Read, or do not."""
        if self.is_lost:
            return
        transport: Any = self.transport
        if self._is_full or self._connection.is_held(self._direction):
            transport.pauseProducing()
        else:
            transport.resumeProducing()

    def pauseProducing(self) -> None:
        """The other end is over its buffer limit."""
        self._is_full = True
        self.update()

    def resumeProducing(self) -> None:
        """The other end has capacity again."""
        self._is_full = False
        self.update()

    def stopProducing(self) -> None:
        """The other end is lost; :meth:`Connection.lost` sees to that."""


class Connection:
    """Two ends, and what is held between them."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.held: set[str] = set(link.held)
        self.is_frozen = False
        self._near = End(self, UP)
        self._far: End | None = None
        self._is_connecting = False

    @property
    def near(self) -> End:
        """The end of who connects."""
        return self._near

    def is_held(self, direction: str) -> bool:
        """Whether nothing passes."""
        return self._far is None or self.is_frozen or direction in self.held

    def made(self, end: End) -> None:
        """One end is there: connect the other, or let bytes pass."""
        if end is self._near:
            end.update()
            self.update()
            return
        self._far = end
        near: Any = self._near.transport
        far: Any = end.transport
        near.registerProducer(end, True)
        far.registerProducer(self._near, True)
        self._link.connected()
        self.update()

    def update(self) -> None:
        """Do what is allowed now."""
        if self._far is None:
            may_connect = not self.held and not self.is_frozen
            if may_connect and not self._is_connecting and not self._near.is_lost:
                self._is_connecting = True
                connecting = self._link.connect(lambda: End(self, DOWN))
                connecting.addErrback(lambda _: self._near.abort())
            return
        self._near.update()
        self._far.update()
        self.lost()

    def passed(self, direction: str, data: bytes) -> None:
        """Pass bytes on, now or later."""
        to = self._far if direction == UP else self._near
        assert to is not None
        self._link.later(to.write, data)

    def lost(self) -> None:
        """Close the other end of one that is lost, if that may be known there."""
        near, far = self._near, self._far
        if near.is_lost and far is not None and not self.is_held(UP):
            self._link.later(far.close)
        if far is not None and far.is_lost and not self.is_held(DOWN):
            self._link.later(near.close)
        if near.is_lost and (far is None or far.is_lost):
            self._link.ended(self)

    def cut(self) -> None:
        """Reset both ends."""
        self._near.abort()
        if self._far is not None:
            self._far.abort()


class Link(Factory):
    """All connections from one program to another."""

    noisy = False

    def __init__(self, reactor: Any, listen: str, target: str) -> None:
        self._reactor = reactor
        self._host, _, self._port = listen.partition(":")
        host, _, port = target.partition(":")
        self._target = HostnameEndpoint(reactor, host, int(port))
        self._connections: list[Connection] = []
        self._listening: Any = None
        self._delay = 0.0
        self._made = 0
        self._last_made = 0.0
        self.held: set[str] = set()
        self._listen()

    def buildProtocol(self, addr: object) -> End:
        """Accept a connection."""
        connection = Connection(self)
        self._connections.append(connection)
        return connection.near

    def connect(self, make: Callable[[], End]) -> Deferred[Any]:
        """Connect to the target."""
        return self._target.connect(_Once(make))

    def connected(self) -> None:
        """Note that a connection is complete."""
        self._made += 1
        self._last_made = self._reactor.seconds()

    def ended(self, connection: Connection) -> None:
        """Forget a connection."""
        if connection in self._connections:
            self._connections.remove(connection)

    def later(self, function: Callable[..., object], *arguments: Any) -> None:
        """Call a function after the delay."""
        if self._delay:
            self._reactor.callLater(self._delay, function, *arguments)
        else:
            function(*arguments)

    def hold(self, directions: list[str]) -> None:
        """Let nothing pass in some directions."""
        self.held.update(directions)
        for each in list(self._connections):
            each.held.update(directions)
            each.update()

    def freeze(self) -> None:
        """Let nothing pass any more over the connections of now."""
        for each in list(self._connections):
            each.is_frozen = True
            each.update()

    def release(self) -> None:
        """Let all pass again that is not frozen."""
        self._delay = 0.0
        self.held.clear()
        self._listen()
        for each in list(self._connections):
            each.held.clear()
            each.update()

    def delay(self, seconds: float) -> None:
        """Let all pass so much later."""
        self._delay = seconds

    def cut(self) -> None:
        """Reset all connections."""
        for each in list(self._connections):
            each.cut()

    def refuse(self) -> None:
        """Reset all connections, and accept none."""
        if self._listening is not None:
            self._listening.stopListening()
            self._listening = None
        self.cut()

    def status(self) -> dict[str, float]:
        """Count connections; times are those of the monotonic clock."""
        open_now = len(self._connections)
        return {"open": open_now, "made": self._made, "last_made": self._last_made}

    def _listen(self) -> None:
        if self._listening is None:
            self._listening = self._reactor.listenTCP(
                int(self._port), self, interface=self._host
            )


class _Once(Factory):
    """Makes the protocol of one connection."""

    noisy = False

    def __init__(self, make: Callable[[], End]) -> None:
        self._make = make

    def buildProtocol(self, addr: object) -> End:
        """Return it."""
        return self._make()


class Commands(LineReceiver):
    """Does what standard input says."""

    delimiter = b"\n"

    def __init__(self, reactor: Any, done: Deferred[None]) -> None:
        self._reactor = reactor
        self._done = done
        self._links: dict[str, Link] = {}

    def lineReceived(self, line: bytes) -> None:  # noqa: N802
        """Obey one command."""
        command = json.loads(line)
        found = [self._do(command, name) for name in command["links"]]
        self.sendLine(json.dumps(found).encode())

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """End."""
        self._done.callback(None)

    def _do(self, command: dict[str, Any], name: str) -> object:
        """Do it with one link."""
        if command["do"] == "open":
            link = Link(self._reactor, command["listen"], command["target"])
            self._links[name] = link
            return None
        link = self._links[name]
        actions: dict[str, Callable[[], object]] = {
            "hold": lambda: link.hold(command["directions"]),
            "freeze": link.freeze,
            "pass": link.release,
            "delay": lambda: link.delay(command["seconds"]),
            "cut": link.cut,
            "refuse": link.refuse,
            "status": link.status,
        }
        return actions[command["do"]]()


def main(reactor: Any) -> Deferred[None]:
    """Run until standard input ends."""
    # The same clock as that of the process which asks for the time of a connection.
    use_monotonic_time(reactor)
    done: Deferred[None] = Deferred()
    StandardIO(Commands(reactor, done), reactor=reactor)
    return done


if __name__ == "__main__":
    react(main)
