"""
Reads a queue by offset, without a consumer group.

Source: ``DefaultMQPullConsumer.pull`` of RocketMQ 5.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final, TypeVar

from twisted.internet.defer import Deferred

from rocketmq_tw.client.consumer.compressed import InflateLimits
from rocketmq_tw.client.consumer.expressions import parse_expression
from rocketmq_tw.client.consumer.pull_result import (
    PullResult,
    PullStatus,
    read_response,
)
from rocketmq_tw.client.errors import OffsetOutOfRange
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.topic import check_group_name
from rocketmq_tw.wire.fields import Request, Response
from rocketmq_tw.wire.requests.offset import (
    GetMaxOffset,
    GetMinOffset,
    OffsetResponse,
    SearchOffset,
)
from rocketmq_tw.wire.requests.pull import (
    SUBSCRIPTION,
    SUSPEND,
    PullMessage,
    PullResponse,
)

if TYPE_CHECKING:
    from rocketmq_tw.client.brokers import Brokers
    from rocketmq_tw.model.subscription import Subscription

A = TypeVar("A", bound=Response)

#: Seconds for a request; for a pull that waits this is added to its waiting time.
TIMEOUT: Final = 10.0


class QueueReader:
    """
    Reads any queue at any offset. It keeps no state, commits nothing and joins no
    group.

    :param group: sent in requests, for the broker's permissions and statistics.
    :param limits: of the bodies that are compressed.
    """

    def __init__(
        self, brokers: Brokers, group: str, limits: InflateLimits | None = None
    ) -> None:
        self._limits = limits or InflateLimits()
        check_group_name(group)
        self._brokers = brokers
        self.group = group

    def pull(
        self,
        queue: MessageQueue,
        offset: int,
        *,
        max_messages: int = 32,
        wait: float = 0.0,
        expression: str = "*",
    ) -> Deferred[PullResult]:
        """
        Read messages from a queue offset on.

        :param max_messages: the limit; brokers return 32 at most.
        :param wait: seconds that the broker may wait for a message to arrive.
        :param expression: ``*``, or tags separated by ``||``.
        :returns: fails with :class:`OffsetOutOfRange` if the offset is outside the
            queue, :class:`~rocketmq_tw.remoting.errors.BrokerError` if the broker
            refuses.
        """
        subscription = parse_expression(queue.topic, expression, 0)
        request = pull_without_group(
            self.group, queue, offset, subscription, max_messages, wait
        )

        def read(response: PullResponse) -> PullResult:
            result = read_response(response, queue, subscription, self._limits)
            if result.status is PullStatus.OFFSET_ILLEGAL:
                raise OffsetOutOfRange(queue, offset, result.next_offset)
            return result

        return self._call(queue, request, TIMEOUT + wait).addCallback(read)

    def min_offset(self, queue: MessageQueue) -> Deferred[int]:
        """Return the offset of the queue's oldest message."""
        request = GetMinOffset(topic=queue.topic, queue_id=queue.queue_id)
        return self._call(queue, request).addCallback(_offset)

    def max_offset(self, queue: MessageQueue) -> Deferred[int]:
        """Return the offset that the queue's next message will get."""
        request = GetMaxOffset(topic=queue.topic, queue_id=queue.queue_id)
        return self._call(queue, request).addCallback(_offset)

    def search(self, queue: MessageQueue, when: datetime | float) -> Deferred[int]:
        """
        Return the offset of the first message stored at or after a time.

        :param when: a time, or seconds since the epoch.
        """
        seconds = when.timestamp() if isinstance(when, datetime) else when
        request = SearchOffset(
            topic=queue.topic, queue_id=queue.queue_id, timestamp=int(seconds * 1000)
        )
        return self._call(queue, request).addCallback(_offset)

    def _call(
        self, queue: MessageQueue, request: Request[A], timeout: float = TIMEOUT
    ) -> Deferred[A]:
        """Call the broker of a queue."""
        return self._brokers.call_for(queue, request, timeout)


def pull_without_group(
    group: str,
    queue: MessageQueue,
    offset: int,
    subscription: Subscription,
    max_messages: int,
    wait: float,
) -> PullMessage:
    """
    Return a pull that commits nothing, and says itself to what it subscribes.

    :param wait: seconds that the broker may wait for a message to arrive.
    """
    return PullMessage(
        consumer_group=group,
        topic=queue.topic,
        queue_id=queue.queue_id,
        queue_offset=offset,
        max_msg_nums=max_messages,
        sys_flag=SUBSCRIPTION | (SUSPEND if wait > 0 else 0),
        commit_offset=0,
        suspend_timeout_millis=int(wait * 1000),
        subscription=subscription.sub_string,
        sub_version=0,
        expression_type=subscription.expression_type,
    )


def _offset(response: OffsetResponse) -> int:
    """Return the offset in a response."""
    return response.offset
