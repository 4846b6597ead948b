"""
The target of a send: what the broker needs to know of its topic.

It depends on the topic alone, so it is computed once and cached until the topic
changes. Only sends to retry topics are looked up each time.

Source: ``AbstractSendMessageProcessor.msgCheck`` of RocketMQ 5.
"""

from __future__ import annotations

import random

import msgspec

from rocketmq_tw.broker.config import BrokerConfig
from rocketmq_tw.broker.send.retries import RetryRules
from rocketmq_tw.broker.tables.topic_attributes import dedupe_window_ms
from rocketmq_tw.broker.tables.topics import TopicTable
from rocketmq_tw.model.topic import (
    NOT_SENDABLE,
    PERM_WRITE,
    RETRY_PREFIX,
    TopicConfig,
    check_topic_name,
)
from rocketmq_tw.remoting.call import Call
from rocketmq_tw.remoting.errors import Refused
from rocketmq_tw.wire.codes import ResponseCode
from rocketmq_tw.wire.requests.send import SendFields


class Target(msgspec.Struct, frozen=True, gc=False):
    """
    What the broker needs to know of a send's topic.

    :ivar topic: the topic that messages go to.
    :ivar queues: queue ids below this are legal; the broker chooses one below
    :ivar is_dead_letter: it is not the topic that the sender named, so queue ids
        that the sender chose do not apply.
    :ivar window_ms: for how long messages are recognised that are sent again; 0 if they
        are not. A target with a window is not cached, so that plain sends cost nothing.
    """

    topic: bytes
    queues: int
    write_queues: int
    is_dead_letter: bool = False
    window_ms: int = 0

    def choose_queue(self, queue_id: int) -> int:
        """
        Choose a queue if the sender's choice cannot be used.

        :param queue_id: the sender's choice; a negative one leaves it to the broker.
        :raises Refused: the queue does not exist, or none is writeable.
        """
        is_free = queue_id < 0 or self.is_dead_letter
        if is_free and self.write_queues > 0:
            return random.randrange(self.write_queues)
        raise Refused(
            ResponseCode.INVALID_PARAMETER,
            f"request queueId[{queue_id}] is illegal: {self.topic.decode()} has"
            f" {self.queues} queues, numbered from 0, {self.write_queues} to write",
        )


class Targets:
    """
    Finds the target of a send, and creates its topic if that is allowed.

    :ivar known: the cached targets, by topic; discarded when the topic changes.
    """

    def __init__(
        self, *, config: BrokerConfig, topics: TopicTable, retries: RetryRules
    ) -> None:
        self.known: dict[str, Target] = {}
        self._config = config
        self._topics = topics
        self._retries = retries
        topics.on_change.append(self._forget)
        topics.on_permission.append(self.known.clear)

    def _forget(self, name: str) -> None:
        """Discard the target of a topic."""
        self.known.pop(name, None)

    def find(self, request: SendFields, call: Call) -> Target:
        """
        Return the target of a send. The order of the checks is Apache RocketMQ's.

        :raises Refused: the topic or this broker accepts no messages.
        :raises IllegalTopic: no topic can have that name.
        """
        name = request.topic
        config = self._topics.get(name)
        allowed = self._topics.permission & PERM_WRITE
        if not allowed and (config is None or config.order):
            raise Refused(
                ResponseCode.NO_PERMISSION,
                f"the broker [{self._config.broker_name}] does not accept messages:"
                " its permission lacks write",
            )
        check_topic_name(name)
        if name in NOT_SENDABLE:
            raise Refused(
                ResponseCode.NO_PERMISSION,
                f"sending to the topic [{name}] is forbidden: it is a system topic",
            )
        if name.startswith(RETRY_PREFIX):
            return self._retry_target(request, call)
        if config is None:
            config = self._topics.create_on_send(
                name,
                request.default_topic,
                request.default_topic_queue_nums,
                0,
                call.peer.address,
            )
        target = _target_of(config)
        if not target.window_ms:
            self.known[name] = target
        return target

    def check_current(self, target: Target, while_doing: str) -> None:
        """
        Refuse a send that had to wait if its topic is not as it was before.

        :param while_doing: says for what it waited.
        :raises Refused: the topic was changed or deleted meanwhile.
        """
        name = target.topic.decode()
        config = self._topics.get(name)
        if config is None or _target_of(config, target.is_dead_letter) != target:
            why = f"the topic [{name}] was changed while {while_doing}"
            raise Refused(ResponseCode.SYSTEM_BUSY, why)

    def _retry_target(self, request: SendFields, call: Call) -> Target:
        """
        Return the target of a message that a group retries.

        It is not cached: it depends on the number of deliveries and the group's locks.
        """
        config = self._retries.target(
            request.topic,
            times=request.reconsume_times or 0,
            own_limit=request.max_reconsume_times,
            version=call.header.version,
        )
        return _target_of(config, is_dead_letter=config.topic_name != request.topic)


def _target_of(config: TopicConfig, is_dead_letter: bool = False) -> Target:
    return Target(
        topic=config.topic_name.encode(),
        queues=max(config.write_queue_nums, config.read_queue_nums),
        write_queues=config.write_queue_nums,
        is_dead_letter=is_dead_letter,
        window_ms=0 if is_dead_letter else dedupe_window_ms(config.attributes),
    )
