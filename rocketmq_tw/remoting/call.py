"""
The arguments of a handler besides the request: the call, and the peer that sent it.

A connection makes a :class:`Call` for each request that it receives. Handlers and
guards know the connection only as a :class:`Peer`.
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
    The other end of a connection. Peers are compared and hashed by identity.

    :class:`~rocketmq_tw.remoting.protocol.RemotingProtocol` provides it.
    """

    @property
    def address(self) -> str:
        """The peer as ``host:port``."""

    @property
    def host_bytes(self) -> bytes:
        """The address as in records: 4 or 16 bytes of host, 4 bytes of port."""

    @property
    def transport(self) -> Any:
        """Twisted's transport, for the addresses of both ends."""

    @property
    def last_seen(self) -> float:
        """When bytes were last received, in seconds of the connection's clock."""

    @property
    def is_connected(self) -> bool:
        """Whether requests can be sent: not lost and not being closed."""

    @property
    def is_write_blocked(self) -> bool:
        """Whether the peer is connected but has not read what was written."""

    def when_writable(self) -> Deferred[None]:
        """Fires when the peer reads again or is gone; at once if it is not blocked."""

    def call(
        self,
        request: Request[A],
        timeout: float | None = 3.0,
        *,
        batched: bool = False,
    ) -> Deferred[A]:
        """
        Send a request; fires with its response.

        :param batched: more requests are likely to follow at once.
        """

    def call_one_way(self, request: Request[Any]) -> None:
        """Send a request without a response; it is lost if the connection is."""

    def close(self) -> Deferred[None]:
        """
        Close after everything written is sent; fires when the connection is gone.

        If a handler calls this, its own response is still sent; later requests are not
        handled.
        """

    def abort(self) -> None:
        """Close now and drop what is not sent yet."""


class Exclusive(Deferred[Any]):
    """
    A response that comes later, and before which the connection handles nothing more.

    A handler returns it where what it does must not be piled up: what a peer sends
    behind it is not read until it fires.
    """


class Call(msgspec.Struct, gc=False):
    """
    One received request, as its handler sees it.

    Creating it takes 31 ns; a class with ``__slots__`` takes 88. The garbage collector
    does not track it: a peer, which may live for days, never refers to a call.

    :ivar header: the decoded header; the declared request is a separate argument.
    :ivar peer: who sent it.
    :ivar received_at: the time of day when it is handled, in seconds since the epoch:
        the store time of a message. Ages are measured with the peer's ``last_seen``.
    :ivar raw_header: the header's bytes; see :meth:`ext`.
    :ivar principal: the user that a guard has authenticated; None without such a guard.
    """

    header: Command
    peer: Peer
    received_at: float
    raw_header: bytes = b""
    principal: str | None = None

    def ext(self) -> Ext:
        """
        Return all fields of the header as texts, as received.

        For guards: a decoded request has only its declared fields, and signatures cover
        the texts. Nothing is cached; each call decodes the header.
        """
        fields = self.header.fields
        return fields if isinstance(fields, dict) else decode_ext(self.raw_header)
