"""
Binary headers as the lanes read and write them; imported when the first of them comes.

Source: ``RocketMQSerializable`` of RocketMQ 5, and as of the lanes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from rocketmq_tw.broker.send.lane_forms import END_CODE, SEND_CODE, frame_of
from rocketmq_tw.remoting.lane import binary_start_of
from rocketmq_tw.wire.binary_header import encode_field
from rocketmq_tw.wire.binary_stored import StoredForm, ended_header
from rocketmq_tw.wire.binary_template import BinaryDecoder
from rocketmq_tw.wire.command import Command
from rocketmq_tw.wire.frame import BINARY

if TYPE_CHECKING:
    from rocketmq_tw.broker.send.lane import LaneMessage
    from rocketmq_tw.broker.timer.lane import TimedMessage
    from rocketmq_tw.broker.transactions.lane_batch import HalfRun


class BinaryForm:
    """
    Binary headers.

    :param store_host: part of every response, like ``region`` and ``trace_on``.
    """

    kind = BINARY
    send_start = binary_start_of(SEND_CODE)
    end_start = binary_start_of(END_CODE)

    def __init__(self, store_host: bytes, region: str, trace_on: str) -> None:
        self.decode_send: Callable[[bytes], Command] = BinaryDecoder(SEND_CODE)
        self.decode_end: Callable[[bytes], Command] = BinaryDecoder(END_CODE)
        self._header = StoredForm(store_host, region, trace_on).header

    def stored(self, run: Iterable[LaneMessage]) -> list[bytes]:
        """Respond to plain messages."""
        frames: list[bytes] = []
        for message in run:
            opaque = message.opaque
            if opaque is not None:
                header = self._header(
                    message.commit_log_offset,
                    message.queue.queue_id,
                    message.queue_offset,
                    opaque,
                )
                frames += frame_of(header, BINARY)
        return frames

    def timed(self, message: TimedMessage, opaque: int) -> tuple[bytes, bytes]:
        """Respond to one that is timed."""
        header = self._header(
            message.commit_log_offset,
            message.asked_queue_id,
            message.queue_offset,
            opaque,
            encode_field("recallHandle", message.recall_handle.decode()),
        )
        return frame_of(header, BINARY)

    def half(self, half: HalfRun, opaque: int) -> tuple[bytes, bytes]:
        """Respond to a half message."""
        header = self._header(
            half.commit_log_offset,
            half.named_queue,
            half.queue_offset,
            opaque,
            encode_field("transactionId", half.key.decode()),
        )
        return frame_of(header, BINARY)

    def ended(self, opaque: int) -> tuple[bytes, bytes]:
        """Respond to the end of a transaction."""
        return frame_of(ended_header(opaque), BINARY)
