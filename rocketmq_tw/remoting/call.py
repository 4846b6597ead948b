"""
What a handler learns about a request beside its fields, and whom it came from.

A connection makes a :class:`Call` for every request it receives. Handlers, and the
guards before them, know the connection only as a :class:`Peer`.
"""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

import msgspec
from twisted.internet.defer import Deferred

from rocketmq_tw.wire.command import Command, decode_ext
from rocketmq_tw.wire.fields import Ext, Request, Response

A = TypeVar("A", bound=Response)


class Peer(Protocol):
    """
    The other end of a connection. It is compared, and found in tables, by identity.

    :class:`~rocketmq_tw.remoting.protocol.RemotingProtocol` provides it.
    """

    @property
    def address(self) -> str:
        """The peer as ``host:port``."""

    @property
    def host_bytes(self) -> bytes:
        """The same as records write it: the packed address and 4 bytes of port."""

    @property
    def is_connected(self) -> bool:
        """Whether requests can be sent: neither lost nor being closed."""

    @property
    def is_write_blocked(self) -> bool:
        """Whether the peer has not read what was written, and may do so still."""

    def when_writable(self) -> Deferred[None]:
        """Fire when the peer reads again, or is gone; at once if it reads now."""

    def call(self, request: Request[A], timeout: float | None = 3.0) -> Deferred[A]:
        """Send a request; fires with its response."""

    def call_one_way(self, request: Request[Any]) -> None:
        """Send a request that has no response; lost if the connection is."""

    def close(self) -> Deferred[None]:
        """
        Close once all that was written is sent; fires when the connection is gone.

        The response of the handler that calls this is still written; requests behind
        the handler's own are not handled.
        """

    def abort(self) -> None:
        """Close now, whatever is still to be sent."""


class Call(msgspec.Struct, gc=False):
    """
    One request received, as its handler sees it.

    Making it takes 31 ns; a class with ``__slots__`` takes 88. The garbage collector
    does not track it: a peer, which may live for days, never refers to a call.

    :ivar header: as decoded; the declared request stands beside the call, not in it.
    :ivar peer: who sent it.
    :ivar received_at: seconds since the epoch; the time of the read that completed it.
    :ivar raw_header: as it came; see :meth:`ext`.
    :ivar principal: who asks, as a guard found out; None where nobody looked.
    """

    header: Command
    peer: Peer
    received_at: float
    raw_header: bytes = b""
    principal: str | None = None

    def ext(self) -> Ext:
        """
        Give all fields of the header as texts, as they came.

        For guards: a decoded request has only what it declares, and what a client
        signs are the texts. Nothing is kept; a second call decodes once more.
        """
        fields = self.header.fields
        return fields if isinstance(fields, dict) else decode_ext(self.raw_header)
