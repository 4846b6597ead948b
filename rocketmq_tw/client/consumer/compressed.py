"""
Messages with a compressed body, which is inflated when it is read.

A few kilobytes can inflate to hundreds of megabytes. The bodies of a pull are not
inflated together but one at a time, as listeners read them, and each only up to a
limit.
"""

from __future__ import annotations

import msgspec
from twisted.logger import Logger

from rocketmq_tw.client.config import MAX_BODY, MAX_INFLATED, ClientConfig
from rocketmq_tw.model.message import StoredMessage
from rocketmq_tw.wire import compression
from rocketmq_tw.wire.compression import BadCompression

_log = Logger()


class CompressedBody(bytes):
    """
    A body as it is stored.

    :ivar sys_flag: the message's system flag, with the kind of compression.
    """

    sys_flag = 0

    @classmethod
    def of(cls, body: bytes, sys_flag: int) -> CompressedBody:
        """Return a body with the system flag of its message."""
        kept = cls(body)
        kept.sys_flag = sys_flag
        return kept


class InflateLimits(msgspec.Struct, frozen=True):
    """
    How large inflated bodies may be: ``max_body_size`` and ``max_inflated_size`` of
    :class:`~rocketmq_tw.client.config.ClientConfig`.
    """

    body: int = MAX_BODY
    kept: int = MAX_INFLATED

    @classmethod
    def of(cls, config: ClientConfig) -> InflateLimits:
        """Return the limits of a client."""
        return cls(config.max_body_size, config.max_inflated_size)


class KeptBodies:
    """
    Limits how many bytes of inflated bodies the messages of one pull keep.

    :ivar longest: bytes of one body, at most.
    """

    __slots__ = ("_left", "longest")

    def __init__(self, limits: InflateLimits) -> None:
        self.longest = limits.body
        # 0 <= _left
        self._left = limits.kept

    def may_keep(self, size: int) -> bool:
        """Return whether another body may be kept, and count it if so."""
        if size > self._left:
            return False
        self._left -= size
        return True


class CompressedMessage(StoredMessage, frozen=True):
    """
    A message whose body is inflated when it is first read.

    :ivar kept: limits the inflated bodies, and those that are kept; beyond it they are
        inflated at each access. None only limits the body.
    """

    kept: KeptBodies | None = None
    plain: bytes | None = None

    @property  # type: ignore[misc]
    def body(self) -> bytes:
        """
        The inflated body; one that is damaged is returned as it is stored.

        :raises BodyTooLarge: it is larger than ``max_body_size``.
        """
        if self.plain is not None:
            return self.plain
        stored, kept = self.stored_body, self.kept
        longest = MAX_BODY if kept is None else kept.longest
        try:
            plain = compression.inflate(stored, stored.sys_flag, longest)
        except BadCompression as error:
            _log.error("a body cannot be inflated: {error}", error=error)
            plain = bytes(stored)
        if kept is None or kept.may_keep(len(plain)):
            msgspec.structs.force_setattr(self, "plain", plain)
        return plain

    @property
    def stored_body(self) -> CompressedBody:
        """The body as it is stored, with its system flag."""
        body: CompressedBody = _STORED.__get__(self, type(self))
        return body


_STORED = StoredMessage.__dict__["body"]


def inflate_later(
    messages: list[StoredMessage], limits: InflateLimits
) -> list[StoredMessage]:
    """Replace the messages with a :class:`CompressedBody`."""
    kept = KeptBodies(limits)
    return [_inflated_later(message, kept) for message in messages]


def _inflated_later(message: StoredMessage, kept: KeptBodies) -> StoredMessage:
    """Return the message with a body that is inflated when it is read."""
    if not isinstance(message.body, CompressedBody):
        return message
    fields = msgspec.structs.asdict(message)
    return CompressedMessage(**fields, kept=kept)
