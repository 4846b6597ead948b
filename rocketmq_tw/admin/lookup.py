"""
Finds messages by their ids and keys, at the brokers that have them.

Source: ``MQAdminImpl.viewMessage`` and ``queryMessage`` of RocketMQ 5.
"""

from __future__ import annotations

from datetime import datetime

from rocketmq_tw.admin.calls import Calls, Registered
from rocketmq_tw.admin.errors import InvalidArgument, NotFound
from rocketmq_tw.admin.found import decode_found
from rocketmq_tw.admin.results.messages import Found, FoundMessage
from rocketmq_tw.admin.texts import to_ms
from rocketmq_tw.admin.topics import Topics
from rocketmq_tw.model.log_safe import log_safe
from rocketmq_tw.model.msgid import parse_offset_message_id
from rocketmq_tw.remoting.errors import BrokerError
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.requests.message import QueryMessage, ViewMessage

_FOREVER_MS = (1 << 63) - 1
#: Messages that are looked for with one unique key.
_COPIES = 32
#: Messages that a broker returns at most, of all that have a key.
_PER_QUERY = 64
#: What brokers say if they find nothing; those of this project add why there may be
#: more, and say only that if they find something.
_NOTHING = "can not find message, maybe time range not correct"


class Lookup:
    """Asks brokers for single messages, and for those that have a key."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._topics = Topics(calls)

    async def by_id(self, message_id: str, topic: str | None) -> FoundMessage:
        """Return a message, by either kind of id; see ``messages.get``."""
        try:
            ip, port, offset = parse_offset_message_id(message_id)
        except ValueError as error:
            if topic is None:
                why = f"this is no id of a message: {error}"
                raise InvalidArgument(why) from None
            # To brokers the id of a producer is a text; not all make it of 32 digits.
            return await self._by_unique_key(message_id, topic)
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
        return await self._by_unique_key(message_id, topic)

    async def _by_unique_key(self, message_id: str, topic: str) -> FoundMessage:
        """Return the oldest message that has an id from its producer."""
        copies = await self._query(topic, message_id, None, None, _COPIES, unique=True)
        if not copies.messages:
            where = f'in the topic "{topic}"'
            if copies.failed:
                where += ", as far as brokers responded"
            raise NotFound("message", message_id, where)
        return copies.messages[0]

    async def by_key(
        self,
        topic: str,
        key: str,
        begin: datetime | None,
        end: datetime | None,
        limit: int,
    ) -> Found:
        """Return the newest messages with a key; see ``messages.by_key``."""
        return await self._query(topic, key, begin, end, limit, unique=False)

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
        gaps: dict[str, str] = {}

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
            gap = (response.remark or "").removeprefix(_NOTHING).removeprefix(": ")
            if gap:
                gaps[names[address]] = log_safe(gap)
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
            {**asked.failed, **gaps},
        )


def _keys(message: FoundMessage) -> tuple[str, ...]:
    """Return what a message is found by: its keys, and the id of its producer."""
    return (*message.keys, message.message_id)


def _age(message: FoundMessage) -> tuple[float, str, int]:
    """Return what messages are sorted by."""
    stored = message.stored.timestamp() if message.stored else 0.0
    return stored, message.broker, message.commit_log_offset
