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
from rocketmq_tw.console.web.attempts import counted_as
from rocketmq_tw.console.web.headers import SECURITY

#: Bytes of a refused body that are read before the connection is closed.
_DISCARDED = 16 << 20


class Handler(Protocol):
    """What responds to requests."""

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
        if self._discarded > _DISCARDED:
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
    def is_gone(self) -> bool:
        """Whether nobody waits for the response any more."""
        return bool(self._disconnected) or bool(self.finished)

    @property
    def peer_host(self) -> str:
        """The address of who sends it."""
        return str(getattr(self.client, "host", "") or "local")

    @property
    def asker(self) -> str:
        """
        The address under which attempts to sign in are counted.

        If a proxy on this machine passes on what others send, it is the one that the
        proxy has added last: those before it are what its client claims. If that
        client is a proxy on this machine, too, the same holds for what it has added.
        """
        host = self.peer_host
        if counted_as(host) is not None:
            return host
        passed = self.requestHeaders.getRawHeaders(b"X-Forwarded-For", [])
        claimed = b",".join(passed).decode("latin-1")
        for each in reversed(claimed.split(",") if passed else ()):
            name = each.strip() or "unknown"
            if counted_as(name) is not None:
                return name
        return host

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
