"""
The two forms of a header as the lanes read and write them: JSON and binary.

Responses have the form of their requests. All frames that a lane takes at once have
one form.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol

from rocketmq_tw.remoting.lane import binary_start_of, start_of
from rocketmq_tw.wire.command import Command, encode_response, typed_decoder
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.frame import BINARY, JSON
from rocketmq_tw.wire.requests.send import SendMessageV2, send_response_format
from rocketmq_tw.wire.requests.transaction import EndTransaction

if TYPE_CHECKING:
    from rocketmq_tw.broker.send.lane import LaneMessage
    from rocketmq_tw.broker.timer.lane import TimedMessage
    from rocketmq_tw.broker.transactions.lane_batch import HalfRun

SEND_CODE, END_CODE = int(SendMessageV2.code), int(EndTransaction.code)
#: What the headers of sends begin with, in either form.
SEND_STARTS = start_of(SEND_CODE), binary_start_of(SEND_CODE)
_HEAD = struct.Struct(">II")
_pack_head = _HEAD.pack
_KEY_BEFORE, _KEY_HERE = b'"},"flag"', b'","transactionId":"%b"},"flag"'


class LaneForm(Protocol):
    """
    One form of headers, and the responses of one broker in it.

    Responses are frames in two pieces: what is before the header, and the header.

    :cvar kind: its number in a frame.
    :cvar send_start: what the header of a send begins with; likewise ``end_start``.
    :cvar decode_send: decodes it, or raises what is left to the handler.
    """

    kind: int
    send_start: bytes
    end_start: bytes
    decode_send: Callable[[bytes], Command]
    decode_end: Callable[[bytes], Command]

    def stored(self, run: Iterable[LaneMessage]) -> list[bytes]:
        """Respond to plain messages, as far as they are not one-way."""

    def timed(self, message: TimedMessage, opaque: int) -> tuple[bytes, bytes]:
        """Respond to one that is timed."""

    def half(self, half: HalfRun, opaque: int) -> tuple[bytes, bytes]:
        """Respond to a half message."""

    def ended(self, opaque: int) -> tuple[bytes, bytes]:
        """Respond to the end of a transaction."""


class JsonForm:
    """
    Headers in JSON.

    :param store_host: part of every response, like ``region`` and ``trace_on``.
    """

    kind = JSON
    send_start = start_of(SEND_CODE)
    end_start = start_of(END_CODE)
    decode_send = staticmethod(typed_decoder(b"%d" % SEND_CODE))
    decode_end = staticmethod(typed_decoder(b"%d" % END_CODE))

    def __init__(self, store_host: bytes, region: str, trace_on: str) -> None:
        stored = send_response_format(store_host, region, trace_on)
        assert stored.count(_KEY_BEFORE) == 1, stored
        self._stored = stored
        self._timed = send_response_format(store_host, region, trace_on, True)
        self._half = stored.replace(_KEY_BEFORE, _KEY_HERE)
        ended = encode_response(Response(), -1)[_HEAD.size :]
        self._ended = ended.replace(b'"opaque":-1', b'"opaque":%d')

    def stored(self, run: Iterable[LaneMessage]) -> list[bytes]:
        """Respond to plain messages."""
        form = self._stored
        frames: list[bytes] = []
        for message in run:
            opaque = message.opaque
            if opaque is not None:
                header = form % (
                    message.commit_log_offset,
                    message.queue.queue_id,
                    message.queue_offset,
                    opaque,
                )
                size = len(header)
                frames += _pack_head(4 + size, size), header
        return frames

    def timed(self, message: TimedMessage, opaque: int) -> tuple[bytes, bytes]:
        """Respond to one that is timed."""
        header = self._timed % (
            message.commit_log_offset,
            message.asked_queue_id,
            message.queue_offset,
            message.recall_handle,
            opaque,
        )
        # As frame_of(), which would cost a call.
        size = len(header)
        return _pack_head(4 + size, size), header

    def half(self, half: HalfRun, opaque: int) -> tuple[bytes, bytes]:
        """Respond to a half message."""
        return frame_of(
            self._half
            % (
                half.commit_log_offset,
                half.named_queue,
                half.queue_offset,
                half.key,
                opaque,
            )
        )

    def ended(self, opaque: int) -> tuple[bytes, bytes]:
        """Respond to the end of a transaction."""
        return frame_of(self._ended % opaque)


def frame_of(header: bytes, kind: int = JSON) -> tuple[bytes, bytes]:
    """Return a frame without a body, in two pieces."""
    size = len(header)
    return _pack_head(4 + size, kind << 24 | size), header


class LaneForms:
    """
    The forms of headers that one broker's lanes know; most clients use JSON.

    :param store_host: part of every response, like ``region`` and ``trace_on``.
    :ivar json: the form that most have.
    """

    def __init__(self, store_host: bytes, region: str, trace_on: str) -> None:
        self._response = store_host, region, trace_on
        self.json = JsonForm(store_host, region, trace_on)
        self._binary: LaneForm | None = None

    def find(self, kind: int) -> LaneForm | None:
        """Return a form by its number in a frame; None if it is unknown."""
        if kind == JSON:
            return self.json
        if self._binary is None and kind == BINARY:
            from rocketmq_tw.broker.send.lane_binary import BinaryForm

            self._binary = BinaryForm(*self._response)
        return self._binary if kind == BINARY else None
