"""
Messages with a compressed body, which is inflated when it is read.

A few kilobytes can inflate to hundreds of megabytes. The bodies of a pull are not
inflated together but one at a time, as listeners read them, and each only up to a
limit.
"""

from __future__ import annotations

from typing import Final

import msgspec
from twisted.logger import Logger

from rocketmq_tw.model.message import StoredMessage
from rocketmq_tw.wire import compression
from rocketmq_tw.wire.compression import BadCompression

_log = Logger()

#: Bytes; the limit of a body after it is inflated: the largest ``maxMessageSize``.
MAX_BODY: Final = 16 << 20
#: Bytes of inflated bodies that the messages of one pull keep.
MAX_KEPT: Final = 64 << 20


class CompressedBody(bytes):
    """
    A body as it is stored.

    :ivar sys_flag: the message's system flag, with the kind of compression.
    """

    sys_flag = 0


class KeptBodies:
    """Limits how many bytes of inflated bodies the messages of one pull keep."""

    __slots__ = ("_left",)

    def __init__(self, limit: int = MAX_KEPT) -> None:
        # 0 <= _left
        self._left = limit

    def may_keep(self, size: int) -> bool:
        """Return whether another body may be kept, and count it if so."""
        if size > self._left:
            return False
        self._left -= size
        return True


class CompressedMessage(StoredMessage, frozen=True):
    """
    A message whose body is inflated when it is first read.

    :ivar kept: limits the inflated bodies that are kept; beyond it they are inflated
        at each access.
    """

    kept: KeptBodies | None = None
    plain: bytes | None = None

    @property  # type: ignore[misc]
    def body(self) -> bytes:
        """
        The inflated body; one that is damaged is returned as it is stored.

        :raises BodyTooLarge: it is larger than :data:`MAX_BODY`.
        """
        if self.plain is not None:
            return self.plain
        stored = self.stored_body
        try:
            plain = compression.inflate(stored, stored.sys_flag, MAX_BODY)
        except BadCompression as error:
            _log.error("a body cannot be inflated: {error}", error=error)
            plain = bytes(stored)
        if self.kept is None or self.kept.may_keep(len(plain)):
            msgspec.structs.force_setattr(self, "plain", plain)
        return plain

    @property
    def stored_body(self) -> CompressedBody:
        """The body as it is stored, with its system flag."""
        body: CompressedBody = _STORED.__get__(self, type(self))
        return body


_STORED = StoredMessage.__dict__["body"]


def inflate_later(messages: list[StoredMessage]) -> list[StoredMessage]:
    """Replace the messages with a :class:`CompressedBody`."""
    kept = KeptBodies()
    return [_inflated_later(message, kept) for message in messages]


def _inflated_later(message: StoredMessage, kept: KeptBodies) -> StoredMessage:
    """Return the message with a body that is inflated when it is read."""
    if not isinstance(message.body, CompressedBody):
        return message
    fields = msgspec.structs.asdict(message)
    return CompressedMessage(**fields, kept=kept)
