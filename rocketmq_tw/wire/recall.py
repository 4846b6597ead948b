"""
The recall handle: what names a timed message that is to be cancelled.

URL-safe base64 of ``v1 TOPIC BROKER TIME UNIQUEKEY``, where the time is in milliseconds
since the epoch, just behind the slot in which the message waits.

Source: ``RecallMessageHandle`` of RocketMQ 5.
"""

from __future__ import annotations

import base64
import binascii

import msgspec

from rocketmq_tw.wire.errors import BadField

_VERSION = "v1"
_PARTS = 5
#: Characters; the longest names together have fewer.
_LONGEST = 2048


class RecallHandle(msgspec.Struct, frozen=True, kw_only=True):
    """
    A handle.

    :ivar time_ms: when the message is due, since the epoch.
    """

    topic: str
    broker_name: str
    time_ms: int
    unique_key: str

    def encode(self) -> str:
        """Encode the handle as a text."""
        text = " ".join(
            (
                _VERSION,
                self.topic,
                self.broker_name,
                str(self.time_ms),
                self.unique_key,
            )
        )
        return base64.urlsafe_b64encode(text.encode()).decode()


def decode_handle(text: str) -> tuple[str, str, str, str]:
    """
    Split a handle.

    :returns: topic, broker name, time and unique key; the time may be no number.
    :raises BadField: it is no handle of this version.
    """
    if not text or len(text) > _LONGEST or not text.isascii():
        raise _bad(text)
    padded = text + "=" * (-len(text) % 4)
    try:
        parts = base64.b64decode(padded, altchars=b"-_", validate=True)
        pieces = parts.decode().split(" ")
    except (binascii.Error, UnicodeDecodeError):
        raise _bad(text) from None
    if len(pieces) < _PARTS or pieces[0] != _VERSION:
        raise _bad(text)
    return pieces[1], pieces[2], pieces[3], pieces[4]


def _bad(text: str) -> BadField:
    return BadField("recall handle", repr(text)[:80], "the one of a timed message")
