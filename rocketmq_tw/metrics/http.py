"""
HTTP of the metrics: ``GET /metrics``, and a small page at ``/``.

It is bounded for peers that mean no good: in the number of connections, in the size of
a request, which has no body, and in the time that a peer has to send a request and to
read the response. Nothing is logged for a request.

The page is written in pieces as the peer reads them, so many slow peers share one copy.
"""

from __future__ import annotations

from collections.abc import Sequence
from hmac import compare_digest
from io import BytesIO
from typing import Any

from twisted.internet.interfaces import IAddress, IPushProducer
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel, HTTPFactory, Request
from zope.interface import implementer

from rocketmq_tw.metrics.page import Page
from rocketmq_tw.metrics.text import CONTENT_TYPE
from rocketmq_tw.remoting.admission import Admission

#: Seconds that a peer has for its first request, and to read a response.
PATIENCE = 20
#: Seconds until its next request is complete; scrapes are up to two minutes apart.
IDLE = 150
#: Connections there may be; a new one takes the place of one without a request.
CONNECTIONS = 64
#: Bytes of the lines of a request, and how many of them.
REQUEST_SIZE, REQUEST_LINES = 8192, 64
#: Pages in a second, for all peers together.
PAGES = 20
#: Bytes that are joined and written at once: more would leave the processor's cache
#: before the system has copied them.
WRITE_SIZE = 64 << 10

_START = b"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>RocketMQ metrics</title></head>
<body><h1>RocketMQ metrics</h1><p><a href="/metrics">/metrics</a></p></body></html>
"""
_TEXT = b"text/plain; charset=utf-8"


class MetricsFactory(HTTPFactory):
    """
    Makes the connections of scrapers.

    :param page: what they read.
    :param token: must come with each request; empty lets everybody read.
    :ivar refused: how many requests were refused since the start.
    """

    noisy = False

    def __init__(self, reactor: Any, page: Page, token: str = "") -> None:
        super().__init__(timeout=PATIENCE, reactor=reactor)
        self.page = page
        self._token = token.encode()
        self.admission = Admission(CONNECTIONS)
        self._channels: set[MetricsChannel] = set()
        self._second = self._pages = 0
        self.refused = 0

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """Return the protocol of one connection; None refuses it."""
        channel: Any = MetricsChannel()
        if self.admission.admit(channel, getattr(addr, "host", "")) is not None:
            return None
        self._channels.add(channel)
        channel.factory = self
        channel.callLater = self.reactor.callLater
        channel.timeOut = PATIENCE
        return channel

    def close_all(self) -> None:
        """Close all connections now."""
        for channel in list(self._channels):
            channel.transport.abortConnection()

    def may_read(self) -> bool:
        """Count a page, unless there were too many in this second."""
        second = int(self.reactor.seconds())
        if second != self._second:
            self._second, self._pages = second, 0
        self._pages += 1
        return self._pages <= PAGES

    def released(self, channel: MetricsChannel) -> None:
        """Count one connection less."""
        self._channels.discard(channel)
        self.admission.release(channel)

    def admits(self, authorization: bytes) -> bool:
        """Whether a request may be made by one who has this header."""
        if not self._token:
            return True
        scheme, _, token = authorization.partition(b" ")
        return scheme.lower() == b"bearer" and compare_digest(token, self._token)

    def startFactory(self) -> None:
        """Open no log."""

    def stopFactory(self) -> None:
        """Close no log."""

    def log(self, request: Any) -> None:
        """Write no line for a request."""


class MetricsRequest(Request):
    """One request, and its response."""

    channel: Any

    def gotLength(self, length: int | None) -> None:
        """Refuse a request with a body before the body comes."""
        self.content = BytesIO()
        if length != 0:
            self.channel.refuse(b"413 Content Too Large")

    def handleContentChunk(self, data: bytes) -> None:
        """Drop what is sent nevertheless."""

    def process(self) -> None:
        """Respond."""
        channel, factory = self.channel, self.channel.factory
        channel.has_requested = True
        path = self.uri.partition(b"?")[0]
        if self.method not in (b"GET", b"HEAD"):
            self.setHeader(b"Allow", b"GET, HEAD")
            self._refuse(405, b"only GET is served here")
        elif path == b"/":
            self._write([_START], b"text/html; charset=utf-8")
        elif path != b"/metrics":
            self._refuse(404, b"only /metrics is served here")
        elif not factory.admits(self.getHeader(b"authorization") or b""):
            self.setHeader(b"WWW-Authenticate", b"Bearer")
            self._refuse(401, b"the token is missing, or another one is needed")
        elif not factory.may_read():
            self.setHeader(b"Retry-After", b"1")
            self._refuse(429, b"the metrics were read too often in this second")
        else:
            self._collect(factory.page)

    def _collect(self, page: Page) -> None:
        """Respond with the metrics, unless the peer is gone before."""
        collected = page.collect()
        self.notifyFinish().addErrback(lambda _: collected.cancel())
        collected.addCallback(self._write, CONTENT_TYPE)
        collected.addErrback(self._failed)

    def _failed(self, failure: Failure) -> None:
        """Respond that there are no metrics now: the program stops."""
        if not self._disconnected:
            self._refuse(503, b"the metrics are collected no more")

    def _refuse(self, code: int, why: bytes) -> None:
        """Respond with one sentence."""
        self.channel.factory.refused += 1
        self.setResponseCode(code)
        self._write([why + b"\n"], _TEXT)

    def _write(self, pieces: Sequence[bytes], kind: bytes) -> None:
        """Write a response as the peer reads it."""
        if self._disconnected:
            return
        self.setHeader(b"Content-Type", kind)
        self.setHeader(b"Cache-Control", b"no-store")
        self.setHeader(b"X-Content-Type-Options", b"nosniff")
        self.setHeader(b"Content-Length", b"%d" % sum(map(len, pieces)))
        self.channel.limit_reading()
        if self.method == b"HEAD":
            self.write(b"")
            self.finish()
        else:
            Writing(self, pieces).resumeProducing()


@implementer(IPushProducer)
class Writing:
    """A response that is written in pieces, whenever the peer has read some."""

    def __init__(self, request: Any, pieces: Sequence[bytes]) -> None:
        self._request = request
        self._pieces = pieces
        self._next = 0
        self._is_paused = False
        request.registerProducer(self, True)

    def resumeProducing(self) -> None:
        """Write until the transport has enough, or all is written."""
        self._is_paused = False
        while not self._is_paused and self._next < len(self._pieces):
            self._request.write(self._some())
        if self._next >= len(self._pieces) and self._request.producer is not None:
            self._request.unregisterProducer()
            self._request.finish()

    def pauseProducing(self) -> None:
        """Write no more for now."""
        self._is_paused = True

    def stopProducing(self) -> None:
        """The peer is gone."""
        self._is_paused = True
        self._next = len(self._pieces)

    def _some(self) -> bytes:
        """Return the next pieces, joined."""
        first, size = self._next, 0
        while self._next < len(self._pieces) and size < WRITE_SIZE:
            size += len(self._pieces[self._next])
            self._next += 1
        return b"".join(self._pieces[first : self._next])


class MetricsChannel(HTTPChannel):
    """
    One connection.

    :ivar has_requested: whether a whole request came.
    """

    transport: Any
    requestFactory = MetricsRequest
    maxHeaders = REQUEST_LINES
    totalHeadersSize = REQUEST_SIZE
    MAX_LENGTH = REQUEST_SIZE
    abortTimeout = 5
    has_requested = False
    _is_refused = False

    def use_transport(self, transport: Any) -> None:
        """Write to this transport from now on: one with TLS over the first."""
        self.transport = self._networkProducer = transport
        transport.registerProducer(self, True)

    def resetTimeout(self) -> None:
        """Give no more time for single bytes: a whole request is waited for."""

    def dataReceived(self, data: bytes) -> None:
        """Read requests, until one is refused."""
        if not self._is_refused:
            super().dataReceived(data)

    def allHeadersReceived(self) -> None:
        """Ask for no body."""
        self.requests[-1].requestHeaders.removeHeader(b"expect")
        super().allHeadersReceived()

    def allContentReceived(self) -> None:
        """Handle a request, unless it is refused."""
        if not self._is_refused:
            super().allContentReceived()

    def limit_reading(self) -> None:
        """Give the peer some time to read what is written now."""
        self.setTimeout(PATIENCE)
        self._savedTimeOut = IDLE

    def refuse(self, status: bytes) -> None:
        """Respond to a request that is not read further, and close."""
        self._is_refused = True
        self.factory.refused += 1
        text = b"HTTP/1.1 %b\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        self.transport.write(text % status)
        self.loseConnection()

    def cut(self, why: str) -> None:
        """Close now: another connection takes its place."""
        self.transport.abortConnection()

    def timeoutConnection(self) -> None:
        """Close: the peer did not send, or not read, in time."""
        self.transport.abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Count one less."""
        self.factory.released(self)
        super().connectionLost(reason)
