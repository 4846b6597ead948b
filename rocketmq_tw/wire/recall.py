"""
The recall handle: what names a timed message that is to be cancelled.

URL-safe base64 of ``v1 TOPIC BROKER TIME UNIQUEKEY``, where the time is in milliseconds
since the epoch, just behind the slot in which the message waits.

Source: ``RecallMessageHandle`` of RocketMQ 5.
"""

from __future__ import annotations

import base64
import binascii

from rocketmq_tw.wire.errors import BadField

_VERSION = "v1"
_PARTS = 5
#: From usual base64 to the one for URLs.
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
#: Characters; the longest names together have fewer.
_LONGEST = 2048


def encode_handle(topic: str, broker_name: str, time_ms: int, key: str) -> bytes:
    """
    Encode a handle, as the response to each timed message has one: in 0.3 us.

    :param time_ms: when the message is due, since the epoch.
    :param key: its unique key.
    """
    text = f"{_VERSION} {topic} {broker_name} {time_ms} {key}"
    return binascii.b2a_base64(text.encode(), newline=False).translate(_URL_SAFE)


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
