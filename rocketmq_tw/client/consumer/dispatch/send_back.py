"""
Sends failed messages back, to be delivered again later.

The broker that holds the message is asked first: it copies the message to the group's
retry topic, with a delay that grows with each delivery, or to the dead letters. If that
fails, the copy is sent like any other message, to any broker of the retry topic.

Source: ``DefaultMQPushConsumerImpl.sendMessageBack`` of RocketMQ 5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import msgspec
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from rocketmq_tw.client.compression import COMPRESS_FROM, compress
from rocketmq_tw.client.consumer.compressed import CompressedMessage
from rocketmq_tw.client.errors import NoRouteError
from rocketmq_tw.client.producer.publish import DEFAULT_QUEUES
from rocketmq_tw.model.errors import RocketMQError
from rocketmq_tw.model.group import CLIENT_INNER_PRODUCER_GROUP
from rocketmq_tw.model.message import (
    DELAY,
    MAX_OFFSET,
    MIN_OFFSET,
    ORIGIN_MESSAGE_ID,
    RETRY_TOPIC,
    TRAN_MSG,
    StoredMessage,
)
from rocketmq_tw.model.sysflag import COMPRESSED, COMPRESSION_MASK
from rocketmq_tw.model.topic import AUTO_CREATE_TOPIC, is_retry, retry_topic
from rocketmq_tw.remoting.errors import ConnectError
from rocketmq_tw.wire import properties
from rocketmq_tw.wire.requests.send import SendBack, SendMessageV2

if TYPE_CHECKING:
    from rocketmq_tw.client.brokers import Brokers
    from rocketmq_tw.client.routes import RouteCache

#: Seconds for each of the two ways.
TIMEOUT: Final = 5.0
#: The delay level of the first redelivery (10 s); each later one is a level higher.
FIRST_LEVEL: Final = 3

#: A level that makes a dead letter.
_DEAD: Final = -1
_NOT_COPIED: Final = (TRAN_MSG, MIN_OFFSET, MAX_OFFSET)
#: The bits of a system flag that tell how a body is compressed.
_COMPRESSION: Final = COMPRESSED | COMPRESSION_MASK


def with_original_topic(message: StoredMessage) -> StoredMessage:
    """Return a message of a retry topic with the topic it was first sent to."""
    if is_retry(message.topic):
        topic = message.properties.get(RETRY_TOPIC)
        if topic:
            return msgspec.structs.replace(message, topic=topic)
    return message


class Returns(Protocol):
    """What becomes of failed messages."""

    def send_back(self, message: StoredMessage, level: int) -> Deferred[None]:
        """Deliver a message again later; see :class:`.Retry` for the level."""

    def bury(self, message: StoredMessage) -> Deferred[None]:
        """Make a dead letter of a message that was retried here."""


class MessageReturns:
    """
    Sends back the failed messages of one group.

    :param max_retries: redeliveries after which a message becomes a dead letter.
    """

    _log = Logger()

    def __init__(
        self, *, brokers: Brokers, routes: RouteCache, group: str, max_retries: int
    ) -> None:
        self._brokers = brokers
        self._routes = routes
        self._group = group
        self._max_retries = max_retries
        self._copies = 0

    def send_back(self, message: StoredMessage, level: int) -> Deferred[None]:
        """
        Send a message back.

        :param message: with its original topic.
        :param level: the delay level; 0 lets the broker choose; below 0: a dead letter.
        :returns: fails if both ways fail.
        """
        return Deferred.fromCoroutine(self._send_back(message, level))

    def bury(self, message: StoredMessage) -> Deferred[None]:
        """
        Make a dead letter of a message that was retried here.

        Its copy has the number of deliveries, which the broker does not know.

        :returns: fails if no broker accepts the copy.
        """
        return Deferred.fromCoroutine(self._send_copy(message, _DEAD))

    async def _send_back(self, message: StoredMessage, level: int) -> None:
        """Ask the broker that holds the message, then send a copy to any broker."""
        try:
            await self._ask_broker(message, level)
        except RocketMQError as error:
            self._log.warn(
                "{group}: sending a copy of {id}, as its broker did not take it back:"
                " {error}",
                group=self._group,
                id=message.message_id,
                error=error,
            )
            await self._send_copy(message, level)

    async def _ask_broker(self, message: StoredMessage, level: int) -> None:
        """Ask the broker that holds the message to copy it."""
        request = SendBack(
            offset=message.commit_log_offset,
            group=self._group,
            delay_level=level,
            origin_msg_id=message.message_id,
            origin_topic=message.topic,
            unit_mode=False,
            max_reconsume_times=self._max_retries,
            broker_name=message.broker_name,
        )
        address = self._master_of(message.broker_name)
        await self._brokers.call(address, request, TIMEOUT)

    async def _send_copy(self, message: StoredMessage, level: int) -> None:
        """Send a copy to the retry topic."""
        topic = retry_topic(self._group)
        await self._routes.find(topic)
        queues = self._routes.writable(topic)
        if not queues:
            raise NoRouteError(topic, "none of its queues can be written to")
        self._copies += 1
        queue = queues[self._copies % len(queues)]
        address = self._master_of(queue.broker_name)
        request = self._copy(message, topic, queue.queue_id, level)
        await self._brokers.call(address, request, TIMEOUT)

    def _master_of(self, broker_name: str) -> str:
        """
        Return the address of a master.

        :raises ConnectError: it is not known.
        """
        address = self._brokers.address(broker_name)
        if address is None:
            raise ConnectError(broker_name, "the address of its master is not known")
        return address

    def _copy(
        self, message: StoredMessage, topic: str, queue_id: int, level: int
    ) -> SendMessageV2:
        """Return the request that stores a copy."""
        times = message.reconsume_times
        kept = {k: v for k, v in message.properties.items() if k not in _NOT_COPIED}
        kept.setdefault(ORIGIN_MESSAGE_ID, message.message_id)
        kept[RETRY_TOPIC] = message.topic
        kept[DELAY] = str(level if level > 0 else FIRST_LEVEL + times)
        body, sys_flag = _compressed(message)
        return SendMessageV2(
            producer_group=CLIENT_INNER_PRODUCER_GROUP,
            topic=topic,
            default_topic=AUTO_CREATE_TOPIC,
            default_topic_queue_nums=DEFAULT_QUEUES,
            queue_id=queue_id,
            sys_flag=sys_flag,
            born_timestamp=message.born_time_ms,
            flag=message.flag,
            properties=properties.encode(kept),
            reconsume_times=times + 1,
            # A broker turns a message with too many deliveries into a dead letter.
            max_reconsume_times=self._max_retries if level >= 0 else times,
            unit_mode=False,
            batch=False,
            body=body,
        )


def _compressed(message: StoredMessage) -> tuple[bytes, int]:
    """Return the body to send, compressed if it is large, and its flags."""
    if isinstance(message, CompressedMessage):
        stored = message.stored_body
        return bytes(stored), stored.sys_flag & _COMPRESSION
    if len(message.body) >= COMPRESS_FROM:
        return compress(message.body)
    return message.body, 0
