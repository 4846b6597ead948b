"""
One request: what is checked before its body is read, and how it gets its response.

Where it comes from and who sends it is known from its headers. A body is kept only if
both are accepted and it is not too large; the rest is read and forgotten, so that the
browser gets the reason.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any, Protocol

import msgspec
from twisted.web.http import RESPONSES, Request

from rocketmq_tw.console.errors import HttpError
from rocketmq_tw.console.web.headers import SECURITY
from rocketmq_tw.console.web.proxies import Proxies

#: Bytes of a refused body that are read before the connection is closed.
_DISCARDED = 16 << 20
#: Bytes of a path that are logged.
_LONGEST_PATH = 100


class Handler(Protocol):
    """
    What responds to requests.

    :ivar proxies: whose word is taken for who sends a request.
    """

    proxies: Proxies

    def admit(self, request: ConsoleRequest) -> int:
        """
        Look at the headers.

        :returns: the bytes that the body may have.
        :raises HttpError: the request is refused.
        """

    def respond(self, request: ConsoleRequest) -> None:
        """Respond to a complete request."""

    def refuse(self, request: ConsoleRequest, error: HttpError) -> None:
        """Respond to a request that is refused."""

    def report(self, request: ConsoleRequest, error: HttpError) -> None:
        """Log that a request is refused."""


class ConsoleRequest(Request):
    """
    One request.

    :ivar session: of who sends it; None if a token came with it, or nobody signed in.
    :ivar is_signed_in: whether it comes from somebody who knows the token.
    """

    channel: Any
    content: Any
    session: Any = None
    is_signed_in = False
    _refusal: HttpError | None = None
    _left = 0
    _discarded = 0
    _is_cut_off = False

    def gotLength(self, length: int | None) -> None:
        """
        The headers are complete: accept the body, or not.

        :param length: of the body; None if it is not known.
        """
        self.content = BytesIO()
        try:
            self._left = self._handler.admit(self)
            if length is not None and length > self._left:
                raise _too_large(self._left)
        except HttpError as error:
            self._refusal = error

    def handleContentChunk(self, data: bytes) -> None:
        """Take a part of the body."""
        self._left -= len(data)
        if self._refusal is None and self._left < 0:
            self._refusal = _too_large(self._left + len(data) + self.content.tell())
            self.content = BytesIO()
        if self._refusal is None:
            self.content.write(data)
            return
        self._discarded += len(data)
        if self._discarded > _DISCARDED and not self._is_cut_off:
            self._is_cut_off = True
            self._handler.report(self, self._refusal)
            self.channel.abort()

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """The request is complete; nothing in it is taken for a form."""
        self.method, self.uri, self.clientproto = command, path, version
        self.path, _, self.query = path.partition(b"?")
        self.process()

    def process(self) -> None:
        """Respond."""
        if self._refusal is not None:
            self._handler.refuse(self, self._refusal)
        else:
            self._handler.respond(self)

    @property
    def _handler(self) -> Handler:
        handler: Handler = self.channel.factory.handler
        return handler

    @property
    def what(self) -> str:
        """What is asked for, in words for the log."""
        if self.path is None:
            return "a request"
        # Only that of a complete request is known.
        words = b"%b %b" % (self.method, self.path[:_LONGEST_PATH])
        return words.decode("latin-1")

    @property
    def is_gone(self) -> bool:
        """Whether nobody waits for the response any more."""
        return bool(self._disconnected) or bool(self.finished)

    @property
    def peer_host(self) -> str:
        """The address of the connection."""
        return str(getattr(self.client, "host", "") or "local")

    @property
    def asker(self) -> str:
        """
        The address of who sends it: the client of a proxy, if one that is known
        passes it on.
        """
        passed = self.requestHeaders.getRawHeaders(b"X-Forwarded-For", [])
        forwarded = [each.decode("latin-1") for each in passed]
        return self._handler.proxies.asker(self.peer_host, forwarded)

    def text_header(self, name: str) -> str | None:
        """Return a header; None if there is none, or it is there twice."""
        values = self.requestHeaders.getRawHeaders(name.encode(), [])
        return values[0].decode("latin-1") if len(values) == 1 else None

    def body(self) -> bytes:
        """Return the body."""
        content: BytesIO = self.content
        return content.getvalue()

    def start_response(self, status: int, content_type: str) -> None:
        """Set the status and the headers that all responses have."""
        self.setResponseCode(status, RESPONSES.get(status, b""))
        for name, value in SECURITY.items():
            self.setHeader(name, value)
        self.setHeader("Content-Type", content_type)
        if not self.responseHeaders.hasHeader("Cache-Control"):
            self.setHeader("Cache-Control", "no-store")

    def send(self, status: int, content: bytes, content_type: str) -> None:
        """Send a whole response, unless nobody waits for it."""
        if self.is_gone:
            return
        self.start_response(status, content_type)
        if status != 304:
            self.setHeader("Content-Length", str(len(content)))
        self.write(content if self.method != b"HEAD" else b"")
        self.finish()

    def send_json(self, status: int, value: object) -> None:
        """Send a value."""
        self.send(status, msgspec.json.encode(value), "application/json")

    def send_error(self, error: HttpError) -> None:
        """Send the reason why there is no other response."""
        for name, value in error.headers.items():
            self.setHeader(name.replace("_", "-").title(), value)
        self.send_json(error.status, {"error": error.why})


def _too_large(most: int) -> HttpError:
    """Return the refusal of a body."""
    return HttpError(413, f"the body of this request may have {max(0, most)} bytes")
