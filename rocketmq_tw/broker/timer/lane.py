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
from rocketmq_tw.broker.send.properties import timed_parts
from rocketmq_tw.broker.send.targets import Target
from rocketmq_tw.broker.timer.recent import RecentSends
from rocketmq_tw.broker.timer.sends import ADDED, RESERVED, TIMED_TOPIC, TimedSends
from rocketmq_tw.store.run_writer import RunWriter
from rocketmq_tw.wire.properties import MAX_PROPERTIES
from rocketmq_tw.wire.record_layout import FIXED_SIZE
from rocketmq_tw.wire.requests.send import SendMessageV2

_QUEUE: Final = TIMED_TOPIC, 0
#: Bytes of a record but for its body and properties.
_FIXED: Final = FIXED_SIZE + len(TIMED_TOPIC)


class TimedMessage(LaneMessage):
    """
    A timed message.

    :ivar asked_topic: where it is to be delivered, like ``asked_queue_id``; its
        response has that queue, too.
    :ivar out_ms: its slot.
    :ivar recall_handle: what recalls it.
    """

    asked_topic: bytes = b""
    asked_queue_id: int = 0
    out_ms: int = 0
    recall_handle: bytes = b""


class TimedLane:
    """
    Makes the messages.

    :param recent: keeps those that are stored.
    :param added: the encoded properties that this broker adds to each message.
    """

    def __init__(
        self, *, sends: TimedSends, runs: RunWriter, recent: RecentSends, added: str
    ) -> None:
        self._sends = sends
        self._find_queue = runs.find_queue
        self._recent = recent
        # Names of clusters may have a percent sign.
        self._added = added.replace("%", "%%") + ADDED

    def message(
        self,
        request: SendMessageV2,
        text: str,
        body: bytes,
        host: bytes,
        target: Target,
        now: float,
    ) -> TimedMessage | None:
        """
        Return what is stored of a send that is not plain; None if it is left.

        Its queue, flags and body are checked by the caller.

        :param text: its properties.
        """
        parts = timed_parts(text)
        queue = self._find_queue(_QUEUE)
        if parts is None or queue is None:
            return None
        code, key, asked = parts
        sends, topic, queue_id = self._sends, request.topic, request.queue_id
        out_ms = sends.slot_of(asked, int(now * 1000))
        if out_ms is None:
            return None
        kept = (text + self._added % (out_ms, topic, queue_id)).encode()
        if len(kept) > MAX_PROPERTIES - RESERVED:
            return None
        return TimedMessage(
            queue,
            _FIXED + len(body) + len(kept),
            request.flag,
            request.sys_flag,
            request.born_timestamp,
            host,
            body,
            kept,
            code,
            request.reconsume_times or 0,
            # Where it is stored, and its response's number, are not known yet.
            0,
            0,
            None,
            # By position, as names would cost 0.1 us.
            target.topic,
            queue_id,
            out_ms,
            sends.handle(topic, out_ms, key),
        )

    def stored(self, message: TimedMessage) -> None:
        """Keep a message that is stored now, until it is linked."""
        self._recent.add(
            message.queue_offset,
            (
                message.asked_topic,
                message.out_ms,
                message.born_time_ms,
                message.commit_log_offset,
                message.size,
            ),
        )
