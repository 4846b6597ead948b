"""
The offsets of a group: cached here, stored at the brokers.

Source: ``RemoteBrokerOffsetStore`` of RocketMQ 5.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.defer import Deferred, DeferredList
from twisted.logger import Logger
from twisted.python.failure import Failure

from rocketmq_tw.model.queue import MessageQueue
from rocketmq_tw.remoting.errors import BrokerError
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.requests.offset import (
    OffsetResponse,
    QueryConsumerOffset,
    UpdateConsumerOffset,
)

if TYPE_CHECKING:
    from rocketmq_tw.client.brokers import Brokers
    from rocketmq_tw.remoting.protocol import RemotingProtocol

#: Seconds to fetch or store one offset.
TIMEOUT: Final = 5.0


class RemoteOffsetStore:
    """
    The offsets of one group, stored at the brokers that hold the queues.

    :param strict_start: let no broker return 0 if it has no offset, as it does for a
        young queue.
    """

    _log = Logger()

    def __init__(
        self, brokers: Brokers, group: str, strict_start: bool = False
    ) -> None:
        self._brokers = brokers
        self._group = group
        self._strict_start = strict_start
        self._offsets: dict[MessageQueue, int] = {}
        #: The offsets that a broker has confirmed, and those sent without a response.
        self._stored: dict[MessageQueue, int] = {}
        self._sent: dict[MessageQueue, int] = {}
        self._frozen: set[MessageQueue] = set()

    def read(self, queue: MessageQueue) -> int | None:
        """Return the cached offset; None if the queue is unknown."""
        return self._offsets.get(queue)

    def for_pull(self, queue: MessageQueue) -> int:
        """Return the offset that a pull commits: the cached one."""
        return self._offsets.get(queue, 0)

    def update(self, queue: MessageQueue, offset: int) -> None:
        """Move a queue's offset forward; a lower one changes nothing."""
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
        """
        Start to track a queue.

        :param stored: whether the broker has this offset.
        """
        self.forget(queue)
        self._offsets[queue] = offset
        if stored:
            self._stored[queue] = self._sent[queue] = offset

    def forget(self, queue: MessageQueue) -> None:
        """Stop tracking a queue."""
        self._offsets.pop(queue, None)
        self._stored.pop(queue, None)
        self._sent.pop(queue, None)
        self._frozen.discard(queue)

    def note_sent(self, queue: MessageQueue, offset: int) -> bool:
        """
        Record an offset that was sent with a pull or a one-way request.

        :returns: whether it is another than the one that was sent before.
        """
        is_new = queue in self._offsets and self._sent.get(queue) != offset
        if is_new:
            self._sent[queue] = offset
        return is_new

    def note_lost(self, queue: MessageQueue) -> None:
        """Let the next commit send the offset again: its pull has failed."""
        self._sent.pop(queue, None)

    # -- with the brokers

    def fetch(self, queue: MessageQueue) -> Deferred[int | None]:
        """
        Fetch the group's offset from the broker.

        :returns: None if there is none (code 22); fails with any other error.
        """
        request = QueryConsumerOffset(
            consumer_group=self._group,
            topic=queue.topic,
            queue_id=queue.queue_id,
            set_zero_if_not_found=False if self._strict_start else None,
        )
        response = self._brokers.call_for(queue, request, TIMEOUT)
        return response.addCallbacks(_offset, _none_if_not_found)

    def commit_changed(self) -> None:
        """Send the changed offsets, without responses; errors are logged."""
        for queue, offset in self._changed(self._offsets, self._sent):
            address = self._brokers.address(queue.broker_name, any_broker=True)
            if address is None:
                continue
            connected = self._brokers.connection(address)
            connected.addCallback(self._send_one_way, queue, offset)
            connected.addErrback(self._not_stored, queue)

    def commit(
        self, queues: Iterable[MessageQueue]
    ) -> Deferred[dict[MessageQueue, BaseException]]:
        """
        Store the changed offsets of these queues, and wait for the responses.

        :returns: the queues whose offset was not stored, and the errors; never fails.
        """
        return Deferred.fromCoroutine(self._commit(list(queues)))

    async def _commit(
        self, queues: list[MessageQueue]
    ) -> dict[MessageQueue, BaseException]:
        """
        Call all brokers in parallel, also for offsets sent one way, which may be lost.
        """
        changed = self._changed(queues, self._stored)
        calls = [
            self._brokers.call_for(queue, self._update_request(queue, offset), TIMEOUT)
            for queue, offset in changed
        ]
        failed: dict[MessageQueue, BaseException] = {}
        results: list[Any] = await DeferredList(calls, consumeErrors=True)
        for (queue, offset), (done, result) in zip(changed, results, strict=True):
            if done:
                if queue in self._offsets:
                    self._stored[queue] = self._sent[queue] = offset
            else:
                failed[queue] = result.value
                self._not_stored(result, queue)
        return failed

    def _changed(
        self, queues: Iterable[MessageQueue], known: dict[MessageQueue, int]
    ) -> list[tuple[MessageQueue, int]]:
        """Return the queues whose offset differs from ``known``, with their offsets."""
        return [
            (queue, offset)
            for queue in queues
            if (offset := self._offsets.get(queue)) is not None
            and known.get(queue) != offset
        ]

    def _update_request(self, queue: MessageQueue, offset: int) -> UpdateConsumerOffset:
        """Return the request that stores an offset."""
        return UpdateConsumerOffset(
            consumer_group=self._group,
            topic=queue.topic,
            queue_id=queue.queue_id,
            commit_offset=offset,
        )

    def _send_one_way(
        self, connection: RemotingProtocol, queue: MessageQueue, offset: int
    ) -> None:
        """Send the request, unless the queue was revoked meanwhile."""
        if queue in self._offsets:
            connection.call_one_way(self._update_request(queue, offset))
            self.note_sent(queue, offset)

    def _not_stored(self, failure: Failure, queue: MessageQueue) -> None:
        """Log that an offset was not stored."""
        self._log.warn(
            "the offset of {group} on {queue} is not stored: {error}",
            group=self._group,
            queue=queue,
            error=failure.value,
        )


def _offset(response: OffsetResponse) -> int | None:
    """Return the offset in a response; below zero, none was ever committed."""
    return response.offset if response.offset >= 0 else None


def _none_if_not_found(failure: Failure) -> None:
    """Turn code 22 into None; pass on other errors."""
    error = failure.value
    if isinstance(error, BrokerError) and error.code == ResponseCode.QUERY_NOT_FOUND:
        return
    failure.raiseException()
