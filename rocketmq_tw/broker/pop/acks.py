"""
Handles acknowledgements and changes of the invisible time.

Whoever acknowledges has the receipt of the message. A receipt that is not of a message
in flight (expired, acknowledged, of another group, forged) changes nothing; as in
Apache RocketMQ that is no error, but here the remark says so.

Source: ``AckMessageProcessor`` and ``ChangeInvisibleTimeProcessor`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from twisted.internet.defer import Deferred

from rocketmq_tw.broker.pop.in_flight import Key, Popped
from rocketmq_tw.broker.pop.journal import ReviveLog
from rocketmq_tw.broker.pop.ordered_acks import OrderedAcks
from rocketmq_tw.broker.pop.orderly import ORDERED
from rocketmq_tw.broker.send.send_back import WhenSafe
from rocketmq_tw.broker.tables.progress import ConsumeProgress
from rocketmq_tw.broker.tables.topics import TopicTable
from rocketmq_tw.model.topic import TopicConfig
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.pacing import Pacer, Steps
from rocketmq_tw.remoting.router import Router
from rocketmq_tw.store.interfaces import Appended, IMessageStore
from rocketmq_tw.wire.bodies.pop import BatchAck, BatchAckMessageRequestBody
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fields import Response
from rocketmq_tw.wire.receipts import (
    NORMAL,
    RETRY_V1,
    RETRY_V2,
    Receipt,
    parse_receipt,
    real_topic,
)
from rocketmq_tw.wire.requests.pop import (
    AckMessage,
    BatchAckMessage,
    ChangeInvisibleTime,
    ChangeInvisibleTimeResponse,
)

_R = TypeVar("_R", bound=Response)
_MARKS = {str(mark): mark for mark in (NORMAL, RETRY_V1, RETRY_V2)}
_NOT_IN_FLIGHT = (
    "nothing is changed: the message is not in flight under this receipt, which has"
    " expired, was used before or is not of this group"
)


class AckProcessor:
    """
    Handles requests with receipts.

    :param when_safe: see :class:`~rocketmq_tw.broker.pop.processor.PopProcessor`.
    :param now: returns the time of day, in seconds since the epoch.
    """

    def __init__(
        self,
        *,
        store: IMessageStore,
        topics: TopicTable,
        journal: ReviveLog,
        ordered: OrderedAcks,
        pacer: Pacer,
        progress: ConsumeProgress,
        when_safe: WhenSafe,
        now: Callable[[], float],
    ) -> None:
        self._store = store
        self._topics = topics
        self._journal = journal
        self._ordered = ordered
        self._in_flight = journal.in_flight
        self._pacer = pacer
        self._progress = progress
        self._when_safe = when_safe
        self._now = now

    def routes(self, router: Router) -> None:
        """Register the handlers."""
        router.on(AckMessage, self.acknowledge)
        router.on(BatchAckMessage, self.acknowledge_batch)
        router.on(ChangeInvisibleTime, self.change)

    def acknowledge(
        self, request: AckMessage, call: Call
    ) -> Response | Deferred[Response]:
        """
        Acknowledge one message.

        :raises TopicNotExist: there is no such topic.
        :raises Refused: there is no such queue or offset.
        :raises BadField: the receipt is malformed.
        """
        receipt = parse_receipt(request.extra_info)
        first, end = self._check_queue(request)
        if not first <= request.offset <= end:
            raise Refused(ResponseCode.NO_MESSAGE, _illegal(request, first, end))
        if receipt.revive_queue == ORDERED:
            return self._ordered.acknowledge(request, receipt)
        popped = self._found(request, receipt)
        if popped is None:
            return Response(remark=_NOT_IN_FLIGHT)
        self._progress.acknowledged(request.topic, request.consumer_group, 1)
        return self._when_written(
            self._journal.acknowledge(popped, [request.offset]), Response()
        )

    def acknowledge_batch(
        self, request: BatchAckMessage, call: Call
    ) -> Response | Deferred[Response | None]:
        """
        Acknowledge many messages; those that are not in flight are ignored.

        :raises Refused: the list is empty.
        """
        body = request.body
        return self._pacer.run_for(body, self._acknowledge_all(body), call.peer)

    def _acknowledge_all(self, body: bytes) -> Steps[Response]:
        """Acknowledge many messages, those of some check points in each step."""
        acks = BatchAckMessageRequestBody.decode_request(body).acks if body else ()
        if not acks:
            raise Refused(
                ResponseCode.NO_MESSAGE, "the request acknowledges no message"
            )
        last: Appended | None = None
        count = 0
        for number, ack in enumerate(acks):
            if number % 20 == 19:
                yield None
            if ack.revive_queue_id == ORDERED:
                self._ordered.acknowledge_batch(ack)
                continue
            popped = self._in_flight.get(_key(ack))
            done = [] if popped is None else ack.among(popped.unacknowledged())
            if popped is not None and done:
                last = self._journal.acknowledge(popped, done)
                self._progress.acknowledged(ack.topic, ack.consumer_group, len(done))
                count += len(done)
        response = Response()
        if last is None:
            in_order = any(ack.revive_queue_id == ORDERED for ack in acks)
            return response if in_order else Response(remark=_NOT_IN_FLIGHT)
        safe = self._when_safe(last.commit_log_offset + last.size)
        if safe is not None:
            yield safe
        return response

    def change(
        self, request: ChangeInvisibleTime, call: Call
    ) -> ChangeInvisibleTimeResponse | Deferred[ChangeInvisibleTimeResponse]:
        """
        Let a message be invisible for a time from now on.

        :returns: what its next receipt has.
        :raises TopicNotExist: there is no such topic.
        :raises Refused: there is no such queue or offset.
        :raises BadField: the receipt is malformed.
        :raises TooManyInFlight: nothing is changed.
        """
        receipt = parse_receipt(request.extra_info)
        first, end = self._check_queue(request)
        if not first <= request.offset < end:
            raise Refused(ResponseCode.NO_MESSAGE, _illegal(request, first, end))
        if receipt.revive_queue == ORDERED:
            return self._ordered.change(request, receipt, int(self._now() * 1000))
        popped = self._found(request, receipt)
        if popped is None:
            return ChangeInvisibleTimeResponse(remark=_NOT_IN_FLIGHT)
        if popped.pending & popped.pending - 1:
            self._in_flight.check_capacity(popped.group)  # it gets one more
        changed = self._changed(popped, request)
        self._journal.begin(changed)
        appended = self._journal.acknowledge(popped, [request.offset])
        response = ChangeInvisibleTimeResponse(
            pop_time=changed.pop_time_ms,
            invisible_time=changed.invisible_ms,
            revive_qid=changed.revive_queue,
        )
        return self._when_written(appended, response)

    def _changed(self, popped: Popped, request: ChangeInvisibleTime) -> Popped:
        """Return a check point of its own for one message."""
        changed = Popped(
            topic=popped.topic,
            group=popped.group,
            queue_id=popped.queue_id,
            start_offset=request.offset,
            pop_time_ms=int(self._now() * 1000),
            invisible_ms=request.invisible_time,
            offsets=range(request.offset, request.offset + 1),
            revive_queue=popped.revive_queue,
            suspend=request.suspend,
            pending=1,
        )
        while changed.key in self._in_flight:
            changed.pop_time_ms += 1
        return changed

    def _check_queue(
        self, request: AckMessage | ChangeInvisibleTime
    ) -> tuple[int, int]:
        """
        Check topic and queue.

        :returns: the first offset of the queue, and the next one.
        """
        topic: TopicConfig = self._topics.require(request.topic)
        if not 0 <= request.queue_id < topic.read_queue_nums:
            raise Refused(
                ResponseCode.MESSAGE_ILLEGAL,
                f"queueId[{request.queue_id}] is illegal, topic:[{request.topic}]"
                f" topicConfig.readQueueNums:[{topic.read_queue_nums}]",
            )
        name, queue_id = request.topic, request.queue_id
        first = self._store.min_offset(name, queue_id)
        return first, self._store.max_offset(name, queue_id)

    def _found(
        self, request: AckMessage | ChangeInvisibleTime, receipt: Receipt
    ) -> Popped | None:
        """Return the check point of a message in flight, None if it is not."""
        key = (
            request.topic,
            request.consumer_group,
            request.queue_id,
            receipt.start_offset,
            receipt.pop_time_ms,
        )
        is_own = receipt.queue_id == request.queue_id
        if not is_own or receipt.offset != request.offset:
            return None
        if not self._in_flight.is_in_flight(key, request.offset):
            return None
        return self._in_flight.get(key)

    def _when_written(self, appended: Appended, response: _R) -> _R | Deferred[_R]:
        """Return a response once a record is where sends are acknowledged too."""
        safe = self._when_safe(appended.commit_log_offset + appended.size)
        if safe is None:
            return response
        return safe.addCallback(lambda _: response)


def _key(ack: BatchAck) -> Key:
    """Return what identifies the check point of acknowledgements."""
    mark = _MARKS.get(ack.retry)
    if mark is None:
        raise Refused(
            ResponseCode.SYSTEM_ERROR, f"r is {ack.retry[:20]!r}; expected 0, 1 or 2"
        )
    topic = real_topic(ack.topic, ack.consumer_group, mark)
    return topic, ack.consumer_group, ack.queue_id, ack.start_offset, ack.pop_time


def _illegal(request: AckMessage | ChangeInvisibleTime, first: int, end: int) -> str:
    return (
        f"offset is illegal, key:{request.topic}@{request.queue_id},"
        f" commit:{request.offset}, store:{first}~{end}"
    )
