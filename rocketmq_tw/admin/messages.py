"""
Messages: by id, by key, by time, by offset, and as they come; sending one.

Source: ``MQAdminImpl`` and ``DefaultMQAdminExtImpl`` of RocketMQ 5 for which broker is
asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from rocketmq_tw.admin.calls import Calls, Registered
from rocketmq_tw.admin.deferring import returning_deferred
from rocketmq_tw.admin.errors import AdminError, InvalidArgument, NotFound
from rocketmq_tw.admin.found import decode_found, found
from rocketmq_tw.admin.reading import QueuesReader, Spot, decode_cursor
from rocketmq_tw.admin.results.messages import (
    DirectResult,
    Found,
    FoundMessage,
    Page,
    Sent,
    Track,
)
from rocketmq_tw.admin.tail import Tail
from rocketmq_tw.admin.texts import to_ms
from rocketmq_tw.admin.topics import Topics
from rocketmq_tw.model.message import Message
from rocketmq_tw.model.msgid import parse_offset_message_id
from rocketmq_tw.model.topic import is_readable
from rocketmq_tw.remoting.errors import BrokerError
from rocketmq_tw.wire.bodies.running_info import ConsumeMessageDirectlyResult
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.requests.consumer import ConsumeMessageDirectly
from rocketmq_tw.wire.requests.message import QueryMessage, ViewMessage

#: Seconds in which a consumer responds that is given a message; brokers wait 10.
_DIRECT = 12.0
_FOREVER_MS = (1 << 63) - 1
#: Messages that are looked for with one unique key.
_COPIES = 32
#: Messages that a broker returns at most, of all that have a key.
_PER_QUERY = 64


class Messages:
    """What an administrator does with messages."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._topics = Topics(calls)
        self._reader = QueuesReader(calls)

    @returning_deferred
    async def get(self, message_id: str, topic: str | None = None) -> FoundMessage:
        """
        Return a message, by either kind of id.

        :param topic: needed for the id of a producer, which does not say where the
            message is stored.
        :raises NotFound: there is no such message.
        :raises InvalidArgument: it is no id, or the topic is needed.
        """
        try:
            ip, port, offset = parse_offset_message_id(message_id)
        except ValueError as error:
            raise InvalidArgument(f"this is no id of a message: {error}") from None
        by_address = {
            each.address: each.name for each in (await self._brokers(topic)).brokers
        }
        address = f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"
        if address in by_address:
            return await self._view(
                address, by_address[address], offset, topic, message_id
            )
        if topic is None:
            raise InvalidArgument(
                f"{message_id} is not the offset id of a message at a broker of this"
                " cluster; if it is the id that a producer made, say in which topic"
                " the message is"
            )
        copies = await self._query(topic, message_id, None, None, _COPIES, unique=True)
        if not copies.messages:
            where = f'in the topic "{topic}"'
            if copies.failed:
                where += ", as far as brokers responded"
            raise NotFound("message", message_id, where)
        return copies.messages[0]

    async def _brokers(self, topic: str | None) -> Registered:
        """Return the brokers of a topic, or all."""
        if topic is None:
            return await self._calls.registered()
        return self._calls.in_route(await self._topics.route(topic))

    async def _view(
        self, address: str, broker: str, offset: int, topic: str | None, message_id: str
    ) -> FoundMessage:
        """Return the message at a commit log offset."""
        try:
            response = await self._calls.broker(
                address, ViewMessage(offset=offset, topic=topic)
            )
        except BrokerError as error:
            if error.code == ResponseCode.NO_PERMISSION:
                raise
            raise NotFound("message", message_id, error.remark) from None
        messages = decode_found(response.body, broker)
        if not messages:
            raise NotFound("message", message_id)
        return messages[0]

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
        return await self._query(topic, key, begin, end, limit, unique=False)

    async def _query(
        self,
        topic: str,
        key: str,
        begin: datetime | None,
        end: datetime | None,
        limit: int,
        *,
        unique: bool,
    ) -> Found:
        """Ask the index of each broker of the topic."""
        brokers = await self._brokers(topic)
        targets = brokers.readers()
        names = {address: name for name, address in targets.items()}

        async def ask(address: str) -> list[FoundMessage]:
            request = QueryMessage(
                topic=topic,
                key=key,
                max_num=limit,
                begin_timestamp=0 if begin is None else to_ms(begin),
                end_timestamp=_FOREVER_MS if end is None else to_ms(end),
                unique=True if unique else None,
            )
            response = await self._calls.broker(address, request)
            return decode_found(response.body, names[address])

        asked = await self._calls.each(targets, ask)
        asked.need_one(f'the messages of "{topic}" cannot be searched')
        full = min(limit, _PER_QUERY)
        complete = all(len(each) < full for each in asked.ok.values())
        # The index has hash codes of keys, which collide.
        fitting = [
            message
            for each in asked.ok.values()
            for message in each
            if (message.message_id == key if unique else key in _keys(message))
        ]
        fitting.sort(key=_age)
        return Found(
            tuple(fitting[-limit:]),
            complete and len(fitting) <= limit,
            asked.failed,
        )

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

    def tail(self, topic: str, expression: str = "*", *, limit: int = 1000) -> Tail:
        """
        Return the messages that come from now on, as an asynchronous iterator.

        :param expression: ``*``, tags separated by ``||``, or a ``Sql``.
        :param limit: how many may wait to be taken; beyond that it stops reading.
        """
        return Tail(self._calls, lambda: self._spots(topic), expression, limit)

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


def _keys(message: FoundMessage) -> tuple[str, ...]:
    """Return what a message is found by: its keys, and the id of its producer."""
    return (*message.keys, message.message_id)


def _age(message: FoundMessage) -> tuple[float, str, int]:
    """Return what messages are sorted by."""
    stored = message.stored.timestamp() if message.stored else 0.0
    return stored, message.broker, message.commit_log_offset
