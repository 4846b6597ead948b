"""
What the lane of plain sends needs to take timed messages, too.

A timed message is stored in the timer's queue, with further properties, and its
response says how it is recalled; everything else is as with plain ones
(:mod:`rocketmq_tw.broker.send.lane`), and they are stored in the same runs.

What is due already, is a recall, or would be refused is left to the handler.
"""

from __future__ import annotations

from typing import Final

from rocketmq_tw.broker.send.lane import LaneMessage
from rocketmq_tw.broker.send.properties import timed_code
from rocketmq_tw.broker.send.targets import Target
from rocketmq_tw.broker.timer.sends import RESERVED, TIMED_TOPIC, TimedSends
from rocketmq_tw.store.run_writer import RunWriter
from rocketmq_tw.wire.properties import MAX_PROPERTIES
from rocketmq_tw.wire.record_layout import FIXED_SIZE
from rocketmq_tw.wire.requests.send import SendMessageV2

_QUEUE: Final = TIMED_TOPIC, 0


class TimedMessage(LaneMessage):
    """
    A timed message.

    :ivar asked_queue_id: where it is to be delivered; its response has that, too.
    :ivar recall_handle: what recalls it.
    """

    asked_queue_id: int = 0
    recall_handle: bytes = b""


class TimedLane:
    """
    Makes the messages.

    :param added: the encoded properties that this broker adds to each message.
    """

    def __init__(self, *, sends: TimedSends, runs: RunWriter, added: str) -> None:
        self._sends = sends
        self._find_queue = runs.find_queue
        self._added = added.encode()

    def message(
        self,
        request: SendMessageV2,
        *,
        body: bytes,
        host: bytes,
        target: Target,
        now: float,
    ) -> TimedMessage | None:
        """
        Return what is stored of a send that is not plain; None if it is left.

        Its queue, flags and body are checked by the caller.
        """
        text = request.properties or ""
        code = timed_code(text)
        queue = self._find_queue(_QUEUE)
        if code is None or queue is None:
            return None
        out_ms = self._sends.slot_of(text, int(now * 1000))
        if out_ms is None:
            return None
        kept = text.encode() + self._added
        kept += self._sends.added(out_ms, target.topic, request.queue_id)
        if len(kept) > MAX_PROPERTIES - RESERVED:
            return None
        return TimedMessage(
            queue,
            FIXED_SIZE + len(body) + len(TIMED_TOPIC) + len(kept),
            request.flag,
            request.sys_flag,
            request.born_timestamp,
            host,
            body,
            kept,
            code,
            request.reconsume_times or 0,
            asked_queue_id=request.queue_id,
            recall_handle=self._sends.handle(request.topic, out_ms, text),
        )
