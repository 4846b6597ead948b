"""
How far a group has read: kept here while it changes, at the brokers for good.

A *committed* offset is the next one to read. Moves are one way only, except where a
broker repairs an offset that its queue does not hold: that one is *frozen* until the
queue is taken anew, so that a late result cannot undo the repair.

Source: ``RemoteBrokerOffsetStore`` and ``RebalancePushImpl.computePullFromWhere`` of
RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, DeferredList
from twisted.logger import Logger

from rocketmq_tw.model.group import ConsumeFrom
from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.model.topic import is_retry
from rocketmq_tw.remoting.errors import BrokerError, ConnectError
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.fields import Request
from rocketmq_tw.wire.requests.offset import (
    GetMaxOffset,
    GetMinOffset,
    OffsetResponse,
    QueryConsumerOffset,
    SearchOffset,
    UpdateConsumerOffset,
)

if TYPE_CHECKING:
    from rocketmq_tw.client.session import ClientSession

#: Seconds for one offset to be asked for or stored.
TIMEOUT = 5.0


class StartFrom(Enum):
    """Where a group starts on a queue of which it never committed an offset."""

    LATEST = ConsumeFrom.CONSUME_FROM_LAST_OFFSET
    EARLIEST = ConsumeFrom.CONSUME_FROM_FIRST_OFFSET


LATEST = StartFrom.LATEST
EARLIEST = StartFrom.EARLIEST


def consume_from(start: StartFrom | datetime) -> ConsumeFrom:
    """Give the word that stands for ``start`` in a heartbeat."""
    if isinstance(start, datetime):
        return ConsumeFrom.CONSUME_FROM_TIMESTAMP
    return start.value


def ask_broker(
    session: ClientSession, queue: MessageQueue, request: Any, timeout: float = TIMEOUT
) -> Deferred[Any]:
    """
    Send a request about a queue to its master, or to a replica where there is none.

    :returns: fails with :class:`ConnectError` when no address of the broker is known.
    """
    return Deferred.fromCoroutine(_ask_broker(session, queue, request, timeout))


async def _ask_broker(
    session: ClientSession, queue: MessageQueue, request: Any, timeout: float
) -> Any:
    """Find the address, in a fresh route if need be, and call it."""
    address = session.broker_address(queue.broker_name, any_broker=True)
    if address is None:
        await session.routes.find(queue.topic, refresh=True)
        address = session.broker_address(queue.broker_name, any_broker=True)
    if address is None:
        raise ConnectError(queue.broker_name, "the route has no address of this broker")
    return await session.call(address, request, timeout)


class RemoteOffsetStore:
    """
    The offsets of one group, stored at the brokers that hold the queues.

    Source: ``RemoteBrokerOffsetStore``.
    """

    _log = Logger()

    def __init__(self, session: ClientSession, group: str) -> None:
        self._session = session
        self._group = group
        self._offsets: dict[MessageQueue, int] = {}
        #: What a broker has confirmed, and what was sent without an answer.
        self._stored: dict[MessageQueue, int] = {}
        self._sent: dict[MessageQueue, int] = {}
        self._frozen: set[MessageQueue] = set()

    def read(self, queue: MessageQueue) -> int | None:
        """Give the offset as it stands here; None if the queue is not known."""
        return self._offsets.get(queue)

    def update(self, queue: MessageQueue, offset: int) -> None:
        """Move the offset of a queue forward; a smaller one changes nothing."""
        known = self._offsets.get(queue)
        if known is None or (offset > known and queue not in self._frozen):
            self._offsets[queue] = offset

    def freeze(self, queue: MessageQueue, offset: int) -> None:
        """Set an offset, even backwards, and keep it until the queue is forgotten."""
        self._offsets[queue] = offset
        self._stored.pop(queue, None)
        self._sent.pop(queue, None)
        self._frozen.add(queue)

    def begin(self, queue: MessageQueue, offset: int, stored: bool) -> None:
        """Start to keep a queue, at an offset that the broker has ``stored`` or not."""
        self.forget(queue)
        self._offsets[queue] = offset
        if stored:
            self._stored[queue] = self._sent[queue] = offset

    def forget(self, queue: MessageQueue) -> None:
        """Drop all that is known of a queue."""
        self._offsets.pop(queue, None)
        self._stored.pop(queue, None)
        self._sent.pop(queue, None)
        self._frozen.discard(queue)

    def note_sent(self, queue: MessageQueue, offset: int) -> None:
        """Note that the broker got the offset, perhaps: with a pull, or one way."""
        if queue in self._offsets:
            self._sent[queue] = offset

    # -- with the brokers

    def fetch(self, queue: MessageQueue) -> Deferred[int | None]:
        """
        Ask the broker for the group's offset.

        :returns: None when it has none (code 22); any other failure is a failure.
        """
        request = QueryConsumerOffset(
            consumer_group=self._group, topic=queue.topic, queue_id=queue.queue_id
        )
        asked = ask_broker(self._session, queue, request)
        return asked.addCallbacks(lambda answer: int(answer.offset), _none_if_not_found)

    def commit_changed(self) -> None:
        """Send what changed since the last time, one way; nothing fails."""
        for queue, offset in self._changed(self._offsets, self._sent):
            address = self._session.broker_address(queue.broker_name, any_broker=True)
            if address is None:
                continue
            connected = self._session.pool.connection(address)
            connected.addCallback(self._send_one_way, queue, offset)
            connected.addErrback(self._not_sent, queue)

    def commit(
        self, queues: Iterable[MessageQueue]
    ) -> Deferred[dict[MessageQueue, BaseException]]:
        """
        Store what changed of these queues, and wait for the brokers' answers.

        :returns: the queues whose offset was not stored, and why; never fails.
        """
        return Deferred.fromCoroutine(self._commit(list(queues)))

    async def _commit(
        self, queues: list[MessageQueue]
    ) -> dict[MessageQueue, BaseException]:
        """Ask all brokers at once. What was sent one way may be lost: it goes again."""
        changed = self._changed(queues, self._stored)
        calls = [
            ask_broker(self._session, queue, self._update_request(queue, offset))
            for queue, offset in changed
        ]
        failed: dict[MessageQueue, BaseException] = {}
        results = await DeferredList(calls, consumeErrors=True)
        for (queue, offset), (done, result) in zip(changed, results, strict=True):
            if done:
                if queue in self._offsets:
                    self._stored[queue] = self._sent[queue] = offset
            else:
                failed[queue] = result.value
                self._not_sent(result, queue)
        return failed

    def _changed(
        self, queues: Iterable[MessageQueue], known: dict[MessageQueue, int]
    ) -> list[tuple[MessageQueue, int]]:
        """List those of the queues whose offset is not the known one."""
        return [
            (queue, offset)
            for queue in queues
            if (offset := self._offsets.get(queue)) is not None
            and known.get(queue) != offset
        ]

    def _update_request(self, queue: MessageQueue, offset: int) -> UpdateConsumerOffset:
        """Make the request that stores an offset."""
        return UpdateConsumerOffset(
            consumer_group=self._group,
            topic=queue.topic,
            queue_id=queue.queue_id,
            commit_offset=offset,
        )

    def _send_one_way(self, connection: Any, queue: MessageQueue, offset: int) -> None:
        """Write the request, unless the queue went to another member meanwhile."""
        if queue in self._offsets:
            connection.call_one_way(self._update_request(queue, offset))
            self.note_sent(queue, offset)

    def _not_sent(self, failure: Any, queue: MessageQueue) -> None:
        """Say that an offset stays unstored for now."""
        self._log.warn(
            "the offset of {group} on {queue} is not stored: {error}",
            group=self._group,
            queue=queue,
            error=failure.value,
        )


def first_offset(
    session: ClientSession, queue: MessageQueue, start: StartFrom | datetime
) -> Deferred[int]:
    """
    Find where a group without an offset starts.

    A retry topic is read from its beginning, for it holds only the group's own
    messages; only a start by time skips what it holds.

    Source: ``RebalancePushImpl.computePullFromWhereWithException``.
    """
    retry = is_retry(queue.topic)
    topic, queue_id = queue.topic, queue.queue_id
    request: Request[OffsetResponse]
    if isinstance(start, datetime) and not retry:
        since_ms = int(start.timestamp() * 1000)
        request = SearchOffset(topic=topic, queue_id=queue_id, timestamp=since_ms)
    elif start is EARLIEST or (retry and not isinstance(start, datetime)):
        request = GetMinOffset(topic=topic, queue_id=queue_id)
    else:
        request = GetMaxOffset(topic=topic, queue_id=queue_id)
    return ask_broker(session, queue, request).addCallback(_not_negative)


def _not_negative(answer: OffsetResponse) -> int:
    """Read an offset; brokers answer -1 for a queue that has no file yet."""
    return max(answer.offset, 0)


def _none_if_not_found(failure: Any) -> Any:
    """Turn code 22 into None; let all else stand."""
    error = failure.value
    if isinstance(error, BrokerError) and error.code == ResponseCode.QUERY_NOT_FOUND:
        return None
    return failure
