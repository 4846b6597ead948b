"""
Shows what a pop of a group would find, without handing it out.

The messages have no receipts, stay where they are, and may be handed out at the same
time. Those of queues that are blocked, because messages are in flight in order, are
shown as well.

Source: ``PeekMessageProcessor`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Iterator

from rocketmq_tw.broker.pop.checks import MAX_COUNT, PopChecks
from rocketmq_tw.broker.pop.queue_order import QueueOrder
from rocketmq_tw.broker.tables.offsets import ConsumerOffsets
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.remoting.pacing import Pacer, Steps, result_of
from rocketmq_tw.remoting.router import Outcome, Router
from rocketmq_tw.store.interfaces import Fetched, IMessageStore
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.requests.pop import PeekMessage, PopResponse

#: Bytes; the largest response, but for one message that is larger.
_MAX_BYTES = 256 << 10
#: Queues without messages that are looked at in one step.
_AT_ONCE = 500


class PeekProcessor:
    """Handles requests that look at messages."""

    def __init__(
        self,
        *,
        checks: PopChecks,
        order: QueueOrder,
        store: IMessageStore,
        offsets: ConsumerOffsets,
        pacer: Pacer,
    ) -> None:
        self._checks = checks
        self._order = order
        self._store = store
        self._offsets = offsets
        self._pacer = pacer

    def routes(self, router: Router) -> None:
        """Register the handler."""
        router.on(PeekMessage, self.peek)

    def peek(self, request: PeekMessage, call: Call) -> Outcome:
        """
        Return messages that the group has not been handed out, 32 at most.

        :raises TopicNotExist: there is no such topic.
        :raises GroupNotExist: there is no such group.
        :raises Refused: it is not permitted, or there are none (code 19).
        """
        self._checks.check(request)
        return self._pacer.run(self._peek(request), call.peer)

    def _peek(self, request: PeekMessage) -> Steps[PopResponse]:
        """Read queues until there are enough messages; count those of all others."""
        records: list[bytes] = []
        count = size = rest = 0
        wanted = min(request.max_msg_nums, MAX_COUNT)
        for number, (topic, queue_id) in enumerate(self._queues(request)):
            if number % _AT_ONCE == _AT_ONCE - 1:
                yield None
            offset = self._offset(request.consumer_group, topic, queue_id)
            behind = self._store.max_offset(topic, queue_id) - offset
            if behind <= 0:
                continue
            if count < wanted and size < _MAX_BYTES:
                fetched = yield from result_of(
                    self._store.get(
                        topic, queue_id, offset, wanted - count, _MAX_BYTES - size, None
                    )
                )
                assert isinstance(fetched, Fetched)
                if fetched.count:
                    records.append(bytes(fetched.data))
                    count += fetched.count
                    size += len(fetched.data)
                    behind = fetched.max_offset - fetched.next_offset
            rest += behind
        if not records:
            raise Refused(ResponseCode.PULL_NOT_FOUND, "NO_MESSAGE_IN_QUEUE")
        return PopResponse(rest_num=rest, remark="FOUND", body=b"".join(records))

    def _queues(self, request: PeekMessage) -> Iterator[tuple[str, int]]:
        """Return the queues in the order in which a pop looks at them."""
        topic, group = request.topic, request.consumer_group
        return self._order.of(topic, group, request.queue_id, False)

    def _offset(self, group: str, topic: str, queue_id: int) -> int:
        """Return where a group goes on; at the first message, if it has not begun."""
        first: int = self._store.min_offset(topic, queue_id)
        return max(first, self._offsets.query(group, topic, queue_id) or 0)
