"""
Binary headers of responses to sends that were stored, from one prepared text.

They are what :func:`~rocketmq_tw.wire.command.encode_response` makes of a
:class:`~rocketmq_tw.wire.requests.send.SendResponse`: 0.9 us instead of 9.
"""

from __future__ import annotations

import struct

from rocketmq_tw.wire import codes
from rocketmq_tw.wire.binary_header import FIXED, encode_field
from rocketmq_tw.wire.command import RESPONSE

_pack_opaque = struct.Struct(">i").pack
_pack_size = struct.Struct(">I").pack
#: The length of a number in digits, as it stands before that.
_LENGTHS = [_pack_size(size) for size in range(20)]
_FIXED_SIZE = FIXED.size + 8
_ID_DIGITS = 16


def _format_of(text: bytes) -> bytes:
    return text.replace(b"%", b"%%")


def ended_header(opaque: int) -> bytes:
    """Encode the header of a response with no fields."""
    language = codes.LANGUAGES.index(codes.LANGUAGE)
    return FIXED.pack(0, language, codes.VERSION, opaque, RESPONSE) + bytes(8)


class StoredForm:
    """
    The prepared header of one broker's responses.

    :param store_host: the broker's address, encoded.
    """

    def __init__(self, store_host: bytes, region: str, trace_on: str) -> None:
        sample = ended_header(0)
        host = store_host.hex().upper()
        msg_id = encode_field("msgId", host + "0" * _ID_DIGITS)[:-_ID_DIGITS]
        where = encode_field("MSG_REGION", region) + encode_field("TRACE_ON", trace_on)
        queue_id, queue_offset = (
            encode_field(name, "")[:-4] for name in ("queueId", "queueOffset")
        )
        self._form = b"".join(
            (
                _format_of(sample[:5]),
                b"%b",
                _format_of(sample[9:17]),
                b"%b",
                _format_of(msg_id),
                b"%016X",
                _format_of(queue_id),
                b"%b%b",
                _format_of(queue_offset),
                b"%b%b",
                _format_of(where),
                b"%b",
            )
        )
        # Of all fields but the digits of both numbers, which have one each here.
        self._size = 0
        self._size = len(self.header(0, 0, 0, 0)) - _FIXED_SIZE - 2

    def header(
        self, at: int, queue_id: int, queue_offset: int, opaque: int, more: bytes = b""
    ) -> bytes:
        """
        Encode a header.

        :param at: the commit log offset of the message.
        :param more: further fields, encoded.
        """
        queue, offset = b"%d" % queue_id, b"%d" % queue_offset
        return self._form % (
            _pack_opaque(opaque),
            _pack_size(self._size + len(queue) + len(offset) + len(more)),
            at,
            _LENGTHS[len(queue)],
            queue,
            _LENGTHS[len(offset)],
            offset,
            more,
        )
