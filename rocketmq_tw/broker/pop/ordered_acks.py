"""
Acknowledgements of pops in order, and changes of their invisible time.

Source: ``AckMessageProcessor.ackOrderly`` and ``ChangeInvisibleTimeProcessor`` of
RocketMQ 5.
"""

from __future__ import annotations

from rocketmq_tw.broker.pop.orderly import ORDERED, OrderedPops, Queue, Unordered
from rocketmq_tw.broker.pop.polling import PopPolling
from rocketmq_tw.broker.tables.offsets import ConsumerOffsets
from rocketmq_tw.broker.tables.progress import ConsumeProgress
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.wire.bodies.pop import BatchAck
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.receipts import Receipt
from rocketmq_tw.wire.requests.pop import (
    AckMessage,
    ChangeInvisibleTime,
    ChangeInvisibleTimeResponse,
)

#: Java's largest ``long``.
_LATEST_MS = (1 << 63) - 1
_PASSED = "nothing is changed: the message was acknowledged before"


class OrderedAcks:
    """Moves the offsets of groups that pop in order."""

    def __init__(
        self,
        *,
        pops: OrderedPops,
        offsets: ConsumerOffsets,
        polling: PopPolling,
        progress: ConsumeProgress,
    ) -> None:
        self._pops = pops
        self._offsets = offsets
        self._polling = polling
        self._progress = progress

    def acknowledge(self, request: AckMessage, receipt: Receipt) -> Response:
        """
        Acknowledge one message.

        :raises Refused: it was not popped.
        """
        queue = request.topic, request.consumer_group, request.queue_id
        committed = self._committed(queue)
        if request.offset < committed:
            return Response(remark=_PASSED)
        found = self._pops.acknowledge(queue, request.offset, receipt.pop_time_ms)
        if found is Unordered.NOT_POPPED:
            raise Refused(
                ResponseCode.MESSAGE_ILLEGAL,
                f"offset is illegal, key:{'@'.join(map(str, queue))},"
                f" commit:{request.offset}: {found.value}",
            )
        if isinstance(found, Unordered):
            return Response(remark=f"nothing is changed: {found.value}")
        self._commit(queue, found)
        return Response()

    def acknowledge_batch(self, ack: BatchAck) -> None:
        """Acknowledge messages of one pop; what is not of it is ignored."""
        queue = ack.topic, ack.consumer_group, ack.queue_id
        for offset in ack.among(self._pops.offsets_of(queue)):
            found = self._pops.acknowledge(queue, offset, ack.pop_time)
            if not isinstance(found, Unordered):
                self._commit(queue, found)

    def change(
        self, request: ChangeInvisibleTime, receipt: Receipt, now_ms: int
    ) -> ChangeInvisibleTimeResponse:
        """Let a message be invisible until another time; its receipt stays good."""
        queue = request.topic, request.consumer_group, request.queue_id
        if request.offset < self._committed(queue):
            return ChangeInvisibleTimeResponse(remark=_PASSED)
        visible_at = min(now_ms + request.invisible_time, _LATEST_MS)
        why = self._pops.change(queue, request.offset, receipt.pop_time_ms, visible_at)
        if why is not None:
            return ChangeInvisibleTimeResponse(
                remark=f"nothing is changed: {why.value}"
            )
        return ChangeInvisibleTimeResponse(
            pop_time=receipt.pop_time_ms,
            invisible_time=visible_at - receipt.pop_time_ms,
            revive_qid=ORDERED,
        )

    def _committed(self, queue: Queue) -> int:
        """Return where the group's next pop begins."""
        topic, group, queue_id = queue
        return self._offsets.query(group, topic, queue_id) or 0

    def _commit(self, queue: Queue, offset: int) -> None:
        """
        Let the group's next pop begin at an offset, and others look for it.

        This is done once for each message that is acknowledged.
        """
        topic, group, queue_id = queue
        self._progress.acknowledged(topic, group, 1)
        if offset > self._committed(queue):
            self._offsets.commit(group, topic, queue_id, offset)
        self._polling.wake_one(topic, group, queue_id)
