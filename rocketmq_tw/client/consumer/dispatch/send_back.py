"""
Handing messages back, to be delivered again later.

The broker that has the message is asked first: it copies the message to the group's
retry topic with a delay that grows from time to time, or to the dead letters. Where it
cannot, the copy is sent like any other message, to any broker that has the retry topic.

Source: ``DefaultMQPushConsumerImpl.sendMessageBack`` of RocketMQ 5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from rocketmq_tw.client.errors import NoRouteError
from rocketmq_tw.model import sysflag
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
from rocketmq_tw.model.topic import AUTO_CREATE_TOPIC, is_retry, retry_topic
from rocketmq_tw.remoting.errors import ConnectError
from rocketmq_tw.wire import compression, properties
from rocketmq_tw.wire.requests.send import SendBack, SendMessageV2

if TYPE_CHECKING:
    from rocketmq_tw.client.session import ClientSession

#: Seconds that either way may take.
TIMEOUT = 5.0
#: The first redelivery waits this delay level (10 s), the next ones one more each.
FIRST_LEVEL = 3
#: Copies of bodies from this size on, in bytes, are compressed.
COMPRESS_FROM = 4096

_NOT_COPIED = (TRAN_MSG, MIN_OFFSET, MAX_OFFSET)


def restored(message: StoredMessage) -> StoredMessage:
    """Give a message from a retry topic the topic back that it was sent to."""
    if is_retry(message.topic):
        topic = message.properties.get(RETRY_TOPIC)
        if topic:
            return msgspec.structs.replace(message, topic=topic)
    return message


class Retries:
    """
    Where one group's failed messages go.

    :param max_retries: after so many redeliveries a message becomes a dead letter.
    """

    _log = Logger()

    def __init__(self, session: ClientSession, group: str, max_retries: int) -> None:
        self._session = session
        self._group = group
        self._max_retries = max_retries
        self._turn = 0

    def give_back(self, message: StoredMessage, level: int) -> Deferred[None]:
        """
        Hand a message back.

        :param message: with its original topic.
        :param level: the delay level; 0: the broker chooses; below 0: a dead letter.
        :returns: fails when neither way worked.
        """
        return Deferred.fromCoroutine(self._give_back(message, level))

    async def _give_back(self, message: StoredMessage, level: int) -> None:
        """Try the broker that has it, then any."""
        try:
            await self._send_back(message, level)
        except RocketMQError as error:
            self._log.warn(
                "{group}: sending a copy of {id}, as its broker does not take it back:"
                " {error}",
                group=self._group,
                id=message.message_id,
                error=error,
            )
            await self._send_copy(message, level)

    async def _send_back(self, message: StoredMessage, level: int) -> None:
        """Let the broker that has the message copy it."""
        address = self._session.broker_address(message.broker_name)
        if address is None:
            raise ConnectError(message.broker_name, "the master's address is not known")
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
        await self._session.call(address, request, TIMEOUT)

    async def _send_copy(self, message: StoredMessage, level: int) -> None:
        """Send a copy to the retry topic."""
        topic = retry_topic(self._group)
        await self._session.routes.find(topic)
        queues = self._session.routes.writable(topic)
        if not queues:
            raise NoRouteError(topic, "none of its queues can be written to")
        self._turn += 1
        queue = queues[self._turn % len(queues)]
        address = self._session.broker_address(queue.broker_name)
        if address is None:
            raise ConnectError(queue.broker_name, "the master's address is not known")
        request = self._copy(message, topic, queue.queue_id, level)
        await self._session.call(address, request, TIMEOUT)

    def _copy(
        self, message: StoredMessage, topic: str, queue_id: int, level: int
    ) -> SendMessageV2:
        """Make the request that stores a copy."""
        times = message.reconsume_times
        kept = {k: v for k, v in message.properties.items() if k not in _NOT_COPIED}
        kept.setdefault(ORIGIN_MESSAGE_ID, message.message_id)
        kept[RETRY_TOPIC] = message.topic
        kept[DELAY] = str(level if level > 0 else FIRST_LEVEL + times)
        body, sys_flag = message.body, 0
        if len(body) >= COMPRESS_FROM:
            body = compression.deflate(body, sysflag.COMPRESSION_ZLIB, 5)
            sys_flag = sysflag.COMPRESSED | sysflag.COMPRESSION_ZLIB
        return SendMessageV2(
            producer_group=CLIENT_INNER_PRODUCER_GROUP,
            topic=topic,
            default_topic=AUTO_CREATE_TOPIC,
            default_topic_queue_nums=4,
            queue_id=queue_id,
            sys_flag=sys_flag,
            born_timestamp=message.born_time_ms,
            flag=message.flag,
            properties=properties.encode(kept),
            # Brokers make a dead letter of what was delivered more often than allowed.
            reconsume_times=times + 1 if level >= 0 else self._max_retries + 1,
            max_reconsume_times=self._max_retries,
            unit_mode=False,
            batch=False,
            body=body,
        )
