"""
Messages: by id, by key, by time, by offset, and as they come; sending one.

Source: ``MQAdminImpl`` and ``DefaultMQAdminExtImpl`` of RocketMQ 5 for which broker is
asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from rocketmq_tw.admin.calls import Calls
from rocketmq_tw.admin.deferring import returning_deferred
from rocketmq_tw.admin.errors import AdminError, InvalidArgument, NotFound
from rocketmq_tw.admin.found import found
from rocketmq_tw.admin.lookup import Lookup
from rocketmq_tw.admin.reading import QueuesReader, Spot, decode_cursor
from rocketmq_tw.admin.results.messages import (
    DirectResult,
    Found,
    FoundMessage,
    Page,
    Sent,
    Track,
)
from rocketmq_tw.admin.tail import OnFailing, Tail
from rocketmq_tw.admin.topics import Topics
from rocketmq_tw.model.message import Message
from rocketmq_tw.model.topic import TRACE_TOPIC, is_readable
from rocketmq_tw.wire.bodies.running_info import ConsumeMessageDirectlyResult
from rocketmq_tw.wire.requests.consumer import ConsumeMessageDirectly

if TYPE_CHECKING:
    from rocketmq_tw.admin.results.traces import MessageTrace

#: Seconds in which a consumer responds that is given a message; brokers wait 10.
_DIRECT = 12.0


class Messages:
    """What an administrator does with messages."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._topics = Topics(calls)
        self._lookup = Lookup(calls)
        self._reader = QueuesReader(calls)

    @returning_deferred
    async def get(self, message_id: str, topic: str | None = None) -> FoundMessage:
        """
        Return a message, by either kind of id.

        :param topic: needed for the id of a producer, which does not say where the
            message is stored.
        :raises NotFound: there is no such message.
        :raises InvalidArgument: it is no offset id, and the topic is needed.
        """
        return await self._lookup.by_id(message_id, topic)

    @returning_deferred
    async def by_key(
        self,
        topic: str,
        key: str,
        *,
        begin: datetime | None = None,
        end: datetime | None = None,
        limit: int = 64,
    ) -> Found:
        """
        Return the newest messages with a key, oldest first.

        A broker returns 64 at most, unless ``maxMsgsNumBatch`` says otherwise; older
        ones are found with an earlier ``end``.

        :param begin: only those stored at this time or later.
        :raises NotFound: there is no such topic.
        :raises InvalidArgument: the limit is not positive.
        """
        _check_limit(limit)
        return await self._lookup.by_key(topic, key, begin, end, limit)

    # -- by position

    @returning_deferred
    async def by_offset(
        self, topic: str, broker: str, queue_id: int, offset: int, limit: int = 1
    ) -> tuple[FoundMessage, ...]:
        """
        Return messages of a queue, from a queue offset on.

        :raises NotFound: there is no such topic or queue, or the queue does not hold
            the offset.
        :raises InvalidArgument: the limit is not positive, or the offset is negative.
        """
        _check_limit(limit)
        if offset < 0:
            raise InvalidArgument(f"{offset} is no queue offset")
        spot = (await self._spots(topic)).get(f"{broker}/{queue_id}")
        if spot is None:
            raise NotFound("queue", f"{topic} {broker}/{queue_id}")
        read: list[FoundMessage] = []
        at = offset
        while len(read) < limit:
            result = await self._reader.pull(spot, at, count=limit - len(read))
            if result.messages and result.messages[0].queue_offset != at == offset:
                break
            read += [found(each) for each in result.messages]
            if not result.messages or result.next_offset <= at:
                break
            at = result.next_offset
        if not read:
            ends = f"it holds {result.min_offset} to {result.max_offset - 1}"
            raise NotFound(
                "message",
                f"{topic} {broker}/{queue_id} {offset}",
                ends if result.max_offset > result.min_offset else "the queue is empty",
            )
        return tuple(read[:limit])

    @returning_deferred
    async def by_time(
        self,
        topic: str,
        begin: datetime,
        end: datetime | None = None,
        limit: int = 64,
        cursor: str | None = None,
    ) -> Page:
        """
        Return the messages stored in a span of time, oldest first.

        A queue that cannot be read now is tried again for the next page, whose messages
        may then be older.

        :param cursor: of the page before this one.
        :raises NotFound: there is no such topic.
        :raises InvalidArgument: the limit is not positive, or it is no cursor.
        """
        _check_limit(limit)
        spots = await self._spots(topic)
        if cursor is not None:
            positions, failed = decode_cursor(cursor), {}
        else:
            searched = await self._reader.search_all(spots, begin)
            if searched.errors:
                searched.need_one(f'the messages of "{topic}" cannot be searched')
            positions, failed = searched.ok, searched.failed
        page = await self._reader.page(spots, positions, end=end, limit=limit)
        return Page(page.messages, page.cursor, {**failed, **page.failed})

    async def _spots(self, topic: str) -> dict[str, Spot]:
        """Return the readable queues of a topic by name, as ``broker-a/3``."""
        route = await self._topics.route(topic)
        addresses = self._calls.in_route(route).readers()
        if not any(is_readable(data.perm) for data in route.queue_datas):
            raise AdminError(
                f'the topic "{topic}" may not be read: no broker gives it the'
                " permission r"
            )
        spots = [
            Spot(queue, addresses[queue.broker_name])
            for queue in route.readable(topic)
            if queue.broker_name in addresses
        ]
        return {spot.name: spot for spot in spots}

    def tail(
        self,
        topic: str,
        expression: str = "*",
        *,
        limit: int = 1000,
        on_failing: OnFailing | None = None,
    ) -> Tail:
        """
        Return the messages that come from now on, as an asynchronous iterator.

        It ends with an error once brokers refuse all queues of the topic.

        :param expression: ``*``, tags separated by ``||``, or a ``Sql``.
        :param limit: how many may wait to be taken; beyond that it stops reading.
        :param on_failing: called with the name of a queue that cannot be read now, and
            why; with None instead when it is read again.
        """
        return Tail(
            self._calls, lambda: self._spots(topic), expression, limit, on_failing
        )

    # -- sending

    @returning_deferred
    async def send(
        self,
        topic: str,
        body: bytes,
        *,
        tag: str | None = None,
        keys: Iterable[str] = (),
        properties: Mapping[str, str] | None = None,
        delay: float | None = None,
        key: str | None = None,
    ) -> Sent:
        """
        Send a message.

        :param delay: seconds after which it is delivered.
        :param key: messages with equal keys go to one queue.
        :raises NotFound: there is no such topic; it is not created.
        """
        await self._topics.route(topic)
        message = Message(
            topic, body, tag, tuple(keys), dict(properties or {}), delay=delay
        )
        return await self.send_message(message, key)

    async def send_message(self, message: Message, key: str | None = None) -> Sent:
        """Send a message as it is."""
        producer = await self._calls.producer()
        result = await producer.send(message, key=key, timeout=self._calls.timeout)
        return Sent(
            message_id=result.message_id,
            offset_id=result.offset_message_id,
            topic=message.topic,
            broker=result.queue.broker_name,
            queue_id=result.queue.queue_id,
            queue_offset=result.queue_offset,
            status=result.status.name,
        )

    # -- what consumers did and do with a message

    @returning_deferred
    async def trace(
        self,
        message_id: str,
        *,
        topic: str = TRACE_TOPIC,
        begin: datetime | None = None,
        end: datetime | None = None,
        limit: int = 64,
    ) -> MessageTrace:
        """
        Return what producers and consumers have traced of a message.

        :param message_id: the one that its producer made.
        :param topic: that of the traces; see :doc:`/howto/traces`.
        :param begin: only what was written at this time or later.
        :param limit: messages of traces that are looked at, the newest.
        :raises NotFound: there is no such topic, or no trace of the message in it.
        """
        from rocketmq_tw.admin.traces import trace_of

        try:
            found = await self.by_key(
                topic, message_id, begin=begin, end=end, limit=limit
            )
        except NotFound:
            if topic != TRACE_TOPIC:
                raise
            why = "nothing is traced; brokers have it with traceTopicEnable=true"
            raise NotFound("topic", topic, why) from None
        return trace_of(message_id, topic, found)

    @returning_deferred
    async def track(self, message: FoundMessage) -> tuple[Track, ...]:
        """Return what each group that reads the topic has done with a message."""
        from rocketmq_tw.admin.tracking import Tracking

        return await Tracking(self._calls).track(message)

    @returning_deferred
    async def consume(
        self, group: str, client_id: str, message: FoundMessage
    ) -> DirectResult:
        """
        Let one consumer consume a message now, and return how it fared.

        :raises BrokerError: the client is not connected, or does not respond.
        """
        brokers = await self._calls.registered()
        address = brokers.masters().get(message.broker)
        if address is None:
            raise NotFound("broker", message.broker, "it has no master now")
        request = ConsumeMessageDirectly(
            consumer_group=group,
            client_id=client_id,
            msg_id=message.offset_id,
            broker_name=message.broker,
            topic=message.topic,
        )
        response = await self._calls.broker(address, request, _DIRECT)
        body = ConsumeMessageDirectlyResult.decode(response.body)
        return DirectResult(
            body.consume_result or "unknown",
            body.remark or "",
            body.spent_time_mills / 1000,
        )


def _check_limit(limit: int) -> None:
    """Check a number of messages. :raises InvalidArgument: it is not positive."""
    if limit < 1:
        raise InvalidArgument(f"a limit of {limit} messages; at least one is asked for")
